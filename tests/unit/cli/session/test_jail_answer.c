/*
 * test_jail_answer.c - what the command opens for a process in a jail: a file that the process has mapped, and no
 * other file that has its name and number.
 *
 * Needs root. Mounts are made in a mount namespace of this program's own.
 */
#include <fcntl.h>
#include <json-c/json.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/session/jail_answer.h"

static char folder[] = "/tmp/jail-answer-XXXXXX";
static bool mounts;

static void write_file(const char *text, struct stat *st)
{
    int fd;

    assert_int_equal(mount("none", folder, "tmpfs", 0, NULL), 0);
    assert_int_equal(chdir(folder), 0);
    fd = open("file", O_RDWR | O_CREAT, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fstat(fd, st), 0);
    close(fd);
}

static char *map_file(void)
{
    int fd = open("file", O_RDONLY);
    char *at = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);

    assert_ptr_not_equal(at, MAP_FAILED);
    close(fd);
    return at;
}

/* So is root in most containers: /proc/PID/map_files needs one of the two. */
static void set_map_files(bool usable)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    const uint32_t bits[2] = {1u << CAP_SYS_ADMIN, 1u << (CAP_CHECKPOINT_RESTORE - 32)};

    assert_int_equal(syscall(SYS_capget, &header, data), 0);
    for (int i = 0; i < 2; i++)
        data[i].effective = usable ? data[i].permitted : data[i].effective & ~bits[i];
    assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

static int receive(int socket)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    char text[256];
    struct iovec part = {text, sizeof(text)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    int fd = -1;

    assert_true(recvmsg(socket, &message, 0) > 0);
    if (CMSG_FIRSTHDR(&message))
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
    return fd;
}

/* The first bytes of the file that the command opens for the mapping at that address; "": none. */
static void ask(const void *address, char text[16])
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    socklen_t length = sizeof(name);
    int own = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), fd;
    struct json_object *line = json_object_new_object();
    struct refusal why = {0};
    struct process process;
    struct jail_answers answers = {.process = &process, .id = "test"};
    char need[64];
    ssize_t n;

    assert_int_equal(bind(own, (struct sockaddr *)&name, sizeof(sa_family_t)), 0);
    assert_int_equal(getsockname(own, (struct sockaddr *)&name, &length), 0);
    name.sun_path[length - offsetof(struct sockaddr_un, sun_path)] = '\0';
    snprintf(need, sizeof(need), "object %lx", (unsigned long)(uintptr_t)address);
    json_object_object_add(line, "need", json_object_new_string(need));
    json_object_object_add(line, "ask", json_object_new_int(1));
    json_object_object_add(line, "to", json_object_new_string(name.sun_path + 1));
    assert_int_equal(process_open(getpid(), &process, &why), 0);
    assert_true(jail_answer(&answers, line));
    fd = receive(own);
    n = fd >= 0 ? read(fd, text, 15) : 0;
    text[n > 0 ? n : 0] = '\0';
    close(fd);
    close(own);
    json_object_put(line);
    process_close(&process);
}

static void a_mapped_file_is_opened_also_by_its_path_alone(void **state)
{
    struct stat st;
    char text[16], *at;

    (void)state;
    if (!mounts)
        skip();
    write_file("mapped", &st);
    at = map_file();
    ask(at, text);
    assert_string_equal(text, "mapped");
    set_map_files(false);
    ask(at, text);
    set_map_files(true);
    assert_string_equal(text, "mapped");
    munmap(at, 1);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(umount(folder), 0);
}

static void another_file_of_the_same_path_and_inode_number_is_not_opened(void **state)
{
    struct stat mapped, other;
    char text[16], *at;

    (void)state;
    if (!mounts)
        skip();
    write_file("mapped", &mapped);
    at = map_file();
    write_file("secret", &other);
    assert_int_equal(other.st_ino, mapped.st_ino);
    set_map_files(false);
    ask(at, text);
    set_map_files(true);
    assert_string_equal(text, "");
    munmap(at, 1);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(umount(folder), 0);
    assert_int_equal(umount(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mapped_file_is_opened_also_by_its_path_alone),
        cmocka_unit_test(another_file_of_the_same_path_and_inode_number_is_not_opened),
    };
    int failed;

    mounts = geteuid() == 0 && mkdtemp(folder) && unshare(CLONE_NEWNS) == 0 &&
             mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
