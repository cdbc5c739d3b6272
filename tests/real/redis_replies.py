"""redis_replies.py - put random commands to a redis-server and print each reply: the same ones, in the same
order, for the same seed.

    redis_replies.py SOCKET SEED COUNT
"""
import random
import socket
import sys

server = socket.socket(socket.AF_UNIX)
server.connect(sys.argv[1])
lines = server.makefile("rb")
chance = random.Random(int(sys.argv[2]))


def reply():
    line = lines.readline()
    if not line:
        raise SystemExit("the server closed its connection")
    kind, rest = line[:1], line[1:-2]
    if kind == b"$":
        return None if int(rest) < 0 else lines.read(int(rest) + 2)[:-2]
    if kind == b"*":
        return None if int(rest) < 0 else [reply() for _ in range(int(rest))]
    return kind + rest


def ask(*words):
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    server.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
    return reply()


def key(kinds):
    return chance.choice(kinds) + str(chance.randrange(40))


def number():
    return chance.randrange(-1000, 1000)


def member():
    return f"m{chance.randrange(300)}"


def value():
    return [str(number() ** 3), "x" * chance.randrange(1, 90), member(), str(chance.random() * 1e6),
            "long" * chance.randrange(50, 400), chance.randbytes(chance.randrange(1, 30))
            ][chance.randrange(6)]


# l: lists, s: strings, n: numbers, h: hashes, t and i: sets, z: sorted sets, x: streams
COMMANDS = [
    lambda: ("LPUSH", key("l"), value(), value()),
    lambda: ("RPUSH", key("l"), *[value() for _ in range(chance.randrange(1, 6))]),
    lambda: ("LPOP", key("l")),
    lambda: ("LRANGE", key("l"), number() // 50, number() // 50),
    lambda: ("LINSERT", key("l"), "BEFORE", value(), value()),
    lambda: ("LSET", key("l"), chance.randrange(9), value()),
    lambda: ("LREM", key("l"), 1, value()),
    lambda: ("LTRIM", key("l"), 0, 300),
    lambda: ("SET", key("s"), value()),
    lambda: ("GET", key("s")),
    lambda: ("APPEND", key("s"), value()),
    lambda: ("GETRANGE", key("s"), number() // 9, number() // 9),
    lambda: ("SETRANGE", key("s"), chance.randrange(200), value()),
    lambda: ("BITCOUNT", key("s")),
    lambda: ("SETBIT", key("s"), chance.randrange(2000), 1),
    lambda: ("BITOP", "XOR", key("s"), key("s"), key("s")),
    lambda: ("INCRBY", key("n"), number()),
    lambda: ("INCRBYFLOAT", key("n"), number() / 8),
    lambda: ("LCS", key("n"), key("n")),
    lambda: ("HSET", key("h"), value(), value(), member(), value()),
    lambda: ("HGET", key("h"), member()),
    lambda: ("HDEL", key("h"), member()),
    lambda: ("HINCRBY", key("h"), "c", number()),
    lambda: ("SADD", key("t"), value(), number()),
    lambda: ("SISMEMBER", key("t"), number()),
    lambda: ("SADD", key("i"), number(), number()),
    lambda: ("SORT", key("i"), "ALPHA"),
    lambda: ("SINTERCARD", 2, key("i"), key("i")),
    lambda: ("ZADD", key("z"), number() / 4, value(), number(), member()),
    lambda: ("ZRANGE", key("z"), 0, -1, "WITHSCORES"),
    lambda: ("ZRANGEBYSCORE", key("z"), number(), number()),
    lambda: ("ZRANK", key("z"), member()),
    lambda: ("ZINCRBY", key("z"), number() / 8, member()),
    lambda: ("ZREM", key("z"), member()),
    lambda: ("XADD", key("x"), "MAXLEN", 200, f"{chance.randrange(10**9)}-1", value(), value()),
    lambda: ("XRANGE", key("x"), "-", "+", "COUNT", 5),
    lambda: ("PFADD", key("p"), value(), value()),
    lambda: ("PFCOUNT", key("p")),
    lambda: ("GEOADD", key("g"), chance.random() * 100, chance.random() * 60, member()),
    lambda: ("GEOSEARCH", key("g"), "FROMLONLAT", 50, 30, "BYRADIUS", 3000, "km", "ASC"),
    lambda: ("OBJECT", "ENCODING", key("lszhti")),
    lambda: ("TYPE", key("lszhti")),
    lambda: ("DUMP", key("ls")),
    lambda: ("COPY", key("l"), key("l"), "REPLACE"),
    lambda: ("EVAL", "return redis.call('exists', KEYS[1]) + #ARGV[1]", 1, key("l"), value()),
    lambda: ("DEL", key("lszhti")),
]

for turn in range(int(sys.argv[3])):
    command = chance.choice(COMMANDS)()
    print(turn, command[0], ask(*command))
print(ask("DEBUG", "DIGEST"))
