#!/bin/sh
# same_calls.sh - an idle shim adds no system call: `strace -ff` of ordinary programs with the shim and without it. Each
# image's start is cut, and with the shim the constructor's calls, which must be on a reviewed list, and the
# one unlink of the FIFO at exit. What is left must be equal, process by process.
#
# Last, a library with one additional getpid is preloaded too: that must be found.
#
# Not compared: brk and getrandom (the constructor's malloc comes before the program's), signals, what returns from their
# handlers and wait4 (children end at any moment), buffer sizes that depend on addresses, what is read and written, /proc/self/maps, the doorbell's own action, addresses, process numbers, times (each is replaced by its kind or order).
set -u

build=$(cd "${HOTPATCH_BUILD:-build}" && pwd)
shim=$build/libhotpatch_preload.so
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
# Python's own allocator takes one more arena or not by how the addresses of the first are aligned.
LC_ALL=C PYTHONHASHSEED=0 PYTHONMALLOC=malloc PERL_HASH_SEED=0 GIT_CONFIG_NOSYSTEM=1 HOME=$work HOTPATCH_LISTEN=first-ring
# ccache, where it stands for gcc, makes its directories at its first run.
CCACHE_DISABLE=1
export LC_ALL PYTHONHASHSEED PYTHONMALLOC PERL_HASH_SEED GIT_CONFIG_NOSYSTEM HOME HOTPATCH_LISTEN CCACHE_DISABLE
passed=0 failed=0 double=

# The rest of one process's trace. `shim` is 1 where it is preloaded.
cat >cut.awk <<'AWK'
function name(line) { sub(/\(.*/, "", line); return line }
function order(text, kind, pattern,   out, word) {
    out = ""
    while (match(text, pattern)) {
        word = substr(text, RSTART, RLENGTH)
        if (!((kind, word) in seen))
            seen[kind, word] = kind (++count[kind])
        out = out substr(text, 1, RSTART - 1) seen[kind, word]
        text = substr(text, RSTART + RLENGTH)
    }
    return out text
}
# The numbers of traced processes are marked.
function marked(text,   pid) {
    for (pid in known)
        if (index(text, pid))
            gsub("(^|[^0-9])" pid "($|[^0-9])", "&<pid>", text)
    return text
}
function marked_names(text,   out, from, length_) {
    out = ""
    while (match(text, /"([^"\\]|\\.)*"/)) {
        from = RSTART
        length_ = RLENGTH
        out = out substr(text, 1, from - 1) marked(substr(text, from, length_))
        text = substr(text, from + length_)
    }
    return out text
}
BEGIN {
    split("clone clone3 fork vfork getpid gettid set_tid_address getppid getpgrp getpgid setpgid getsid setsid kill " \
          "tkill tgkill waitid ioctl pidfd_open rt_sigqueueinfo rt_tgsigqueueinfo", list, " ")
    for (i in list)
        of_processes[list[i]] = 1
    split("fstat newfstatat prctl rt_sigaction getpid geteuid getuid mkdirat openat close readlinkat mknodat " \
          "utimensat mmap madvise getdents64 kill unlinkat flock capget", list, " ")
    for (i in list)
        reviewed[list[i]] = 1
}
/^---/ || /^rt_sigreturn/ || /^brk\(/ || /^getrandom\(/ || /^wait4\(/ || /ERESTART/ { next }
/^execve\(.*= 0$/ { loading = 1; print "execve"; next }
loading {
    # ld.so ends with the unmapping of its cache.
    if (/^munmap/) {
        loading = 0
        expected = shim
        made = ""
    }
    next
}
# The constructor begins with a call that libc makes by another number; constructors of libraries come before it.
expected && /^fstat\(2, / {
    expected = 0
    constructing = 1
}
constructing {
    if (!(name($0) in reviewed))
        print "a call that the constructor must not make: " $0
    # Its last one closes the directory in which it made the FIFO.
    if (/^mknodat\(/) {
        made = $0
        gsub(/^mknodat\(|,.*/, "", made)
    } else if (made != "" && $0 ~ ("^close\\(" made "\\)")) {
        constructing = 0
    }
    next
}
# What /proc/self/maps holds is no system call of the shim's.
/^openat\(.*"\/proc\/self\/maps"/ { maps = 1; next }
maps {
    maps = !/^close/
    next
}
shim && /^unlinkat\(AT_FDCWD, ".*\.fifo", 0\) += 0$/ { unlinks++; next }
/^exit_group/ {
    if (unlinks > 1)
        print "more than one unlink"
}
{
    gsub(/ +/, " ")
    gsub(/tv_sec=[0-9-]+|tv_nsec=[0-9]+|tv_usec=[0-9]+|si_[us]time=[0-9]+/, "T")
    gsub(/[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9:.+]+/, "T")
    gsub(/getppid\(\) = [0-9]+/, "getppid() = N")
    gsub(/sysinfo\(\{.*\}/, "sysinfo(N")
    gsub(/rt_sigaction\(SIGRT_14, .*\)/, "rt_sigaction(the doorbell)")
    gsub(/\/tmp\/cc[A-Za-z0-9]+/, "/tmp/ccX")
    gsub(/\.git\/t[A-Za-z0-9]+/, ".git/tX")
    gsub(/tmp_obj_[A-Za-z0-9]+/, "tmp_obj_X")
    gsub(/statfs\([^{]*\{.*\}/, "statfs(N")
    if (/^read\(/)
        sub(/, [0-9]+\) = /, ", N) = ")
    if (/^p?(read|write)(64)?\(/)
        gsub(/"([^"\\]|\\.)*"(\.\.\.)?/, "DATA")
    gsub(/\{ru_utime=.*\}/, "RUSAGE")
    $0 = order($0, "address", "0x[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]+")
    while ((getline pid < pids) > 0)
        known[pid] = 1
    # A size or a result may by chance be the number of a process.
    $0 = name($0) in of_processes ? marked($0) : marked_names($0)
    $0 = order($0, "pid", "[0-9]+[^0-9]?<pid>")
    # A pipe gives what is there by then: in how many pieces is a matter of time.
    if (/^read\([0-9]+, DATA, N\) = [1-9][0-9]*$/) {
        sub(/= [0-9]+$/, "= some")
        if ($0 == last)
            next
    }
    last = $0
    print
}
AWK

trace() { # SHIM NAME SCRIPT
    rm -rf run place traces
    mkdir run place traces
    chmod 700 run
    preload=
    [ "$1" = 0 ] || preload=$shim${double:+:$double}
    (cd place && HOTPATCH_DIR=$work/run strace -ff -o ../traces/t -E LD_PRELOAD="$preload" sh -c "$3") \
        >"$2.out.$1" 2>&1 </dev/null
    for file in traces/t.*; do
        echo "${file##*.}"
    done | sort -n >sorted
    # Where the numbers have begun again at the bottom, those are the later ones.
    awk '{ if ($1 - last > 10000 && NR > 1) cut = NR; last = pid[NR] = $1 }
        END { for (i = cut ? cut : 1; i <= NR; i++) print pid[i]; for (i = 1; i < cut; i++) print pid[i] }' sorted >pids
    : >"$2.$1"
    while read -r pid; do
        echo "process" >>"$2.$1"
        awk -v shim="$1" -v pids=pids -f cut.awk "traces/t.$pid" >>"$2.$1"
    done <pids
}

same() { # NAME SCRIPT
    trace 0 "$1" "$2"
    trace 1 "$1" "$2"
    if ! cmp -s "$1.out.0" "$1.out.1"; then
        echo "$1: other output"
        diff "$1.out.0" "$1.out.1" | head -n 5
        failed=$((failed + 1))
    elif ! cmp -s "$1.0" "$1.1"; then
        echo "$1: other system calls"
        diff "$1.0" "$1.1" | head -n 10
        failed=$((failed + 1))
    elif [ "$(wc -l <"$1.0")" -lt 10 ]; then
        echo "$1: nothing was traced"
        failed=$((failed + 1))
    else
        passed=$((passed + 1))
    fi
}

same ls 'exec ls -l /usr/include/linux'
same sort 'exec sort /etc/services'
same gcc 'echo "int main(void) { return 0; }" >a.c; exec gcc -O1 -c -o a.o a.c'
same tar 'exec tar cf a.tar -C /usr/include/linux netfilter'
same python3 'exec python3 -S -B -c "import json, os; print(json.dumps(sorted(os.environ)[:1])); os.fork() or os._exit(0); os.wait()"'
same perl "exec perl -e 'my \$p = fork; exit 3 unless \$p; waitpid \$p, 0; print \$? >> 8'"
same sqlite3 'exec sqlite3 a.db "create table t(a); insert into t values (1); select * from t"'
same git 'git init -q .; git -c user.name=a -c user.email=a@b hash-object -w --stdin </etc/services'
same bash "exec bash -c 'for i in 1 2 3; do (exit \$i); echo \$?; done; echo \$(echo a)'"
same dash "for i in 1 2 3; do (exit \$i); echo \$?; done; /bin/true"
same make "printf 'all:\n\t@echo a; false || true\n' >Makefile; exec make -s"
same find 'exec find /usr/include/linux -name "*.h" -newer /etc/passwd'
same xargs 'exec xargs -n 1 echo </etc/hostname'
same dd 'exec dd if=/etc/services of=b bs=100 count=20 status=none'
same sed 'exec sed -n s/a/b/p /etc/services'
same awk "exec awk '{ n++ } END { print n }' /etc/services"
same grep 'exec grep -r EPERM /usr/include/asm-generic'
same gzip 'exec gzip -c /etc/services'
same openssl 'exec openssl dgst -md5 /etc/services'
same readelf 'exec readelf -h /bin/ls'
same cp 'cp /etc/services c; mv c d; exec rm d'

cat >double.c <<'C'
#include <sys/syscall.h>
#include <unistd.h>
__attribute__((destructor)) static void end(void)
{
    syscall(SYS_getpid);
}
C
if cc -shared -fPIC -o double.so double.c && double=$work/double.so && trace 1 dd 'exec dd if=/etc/services of=b bs=100 count=20 status=none' &&
    [ "$(diff dd.0 dd.1)" = "$(printf '%s\n> getpid() = pid1' "$(diff dd.0 dd.1 | head -n 1)")" ]; then
    passed=$((passed + 1))
else
    echo "one additional getpid was not found"
    diff dd.0 dd.1 | head -n 5
    failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
