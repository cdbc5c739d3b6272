/*
 * hardened.c - run a program under what systemd's units ask of the kernel.
 *
 *   hardened [no-new-privs] [mdwe] [deny-write-execute] [system-service] [address-families]
 *            [no-namespaces] [private-users] -- PROGRAM [ARG...]
 *
 * Exits 77 where the kernel does not have what was asked for.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PR_SET_MDWE /* Linux 6.3 */
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

#define SKIPPED 77
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define SKIP_UNLESS(value, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (count))

#define CLONE_NAMESPACES                                                                          \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
     CLONE_NEWNET)

/* Refuses `call` with EPERM where its third argument has all of `bits`; the low half is enough. */
#define REFUSE(call, bits)                                                                        \
    LOAD(nr), SKIP_UNLESS((call), 4), LOAD(args[2]), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (bits)), \
        SKIP_UNLESS((bits), 1), RETURN(SECCOMP_RET_ERRNO | EPERM)

/* MemoryDenyWriteExecute= as systemd does it where the kernel has no PR_SET_MDWE. */
static struct sock_filter deny_write_execute[] = {
    REFUSE(SYS_mmap, PROT_WRITE | PROT_EXEC),
    REFUSE(SYS_mprotect, PROT_EXEC),
    REFUSE(SYS_pkey_mprotect, PROT_EXEC),
    REFUSE(SYS_shmat, SHM_EXEC),
    RETURN(SECCOMP_RET_ALLOW),
};

/* RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX */
static struct sock_filter address_families[] = {
    LOAD(nr),
    SKIP_UNLESS(SYS_socket, 5),
    LOAD(args[0]),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 3, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0),
    RETURN(SECCOMP_RET_ERRNO | EAFNOSUPPORT),
    RETURN(SECCOMP_RET_ALLOW),
};

/* RestrictNamespaces=yes; clone3(2), whose flags a filter cannot read, is not there. */
static struct sock_filter no_namespaces[] = {
    LOAD(nr),
    SKIP_UNLESS(SYS_clone3, 1),
    RETURN(SECCOMP_RET_ERRNO | ENOSYS),
    SKIP_UNLESS(SYS_unshare, 1),
    RETURN(SECCOMP_RET_ERRNO | EPERM),
    SKIP_UNLESS(SYS_setns, 1),
    RETURN(SECCOMP_RET_ERRNO | EPERM),
    SKIP_UNLESS(SYS_clone, 3),
    LOAD(args[0]),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NAMESPACES, 0, 1),
    RETURN(SECCOMP_RET_ERRNO | EPERM),
    RETURN(SECCOMP_RET_ALLOW),
};

/* What SystemCallFilter=@system-service ~@privileged @resources kills for (`systemd-analyze
 * syscall-filter`), in the calls that x86-64 has. */
static const int no_service_calls[] = {
    /* @privileged */
    SYS_chown,
    SYS_fchown,
    SYS_lchown,
    SYS_fchownat,
    SYS_capset,
    SYS_chroot,
    SYS_setfsuid,
    SYS_setfsgid,
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setgroups,
    SYS_bpf,
    SYS_acct,
    SYS_quotactl,
    SYS_fanotify_init,
    SYS_vhangup,
    SYS_pivot_root,
    SYS_open_by_handle_at,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_ioperm,
    SYS_iopl,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    /* @resources */
    SYS_ioprio_set,
    SYS_mbind,
    SYS_migrate_pages,
    SYS_move_pages,
    SYS_sched_setaffinity,
    SYS_sched_setattr,
    SYS_sched_setparam,
    SYS_sched_setscheduler,
    SYS_set_mempolicy,
    SYS_setpriority,
    SYS_setrlimit,
    /* not in @system-service at all */
    SYS_mount,
    SYS_umount2,
    SYS_unshare,
    SYS_setns,
    SYS_fsopen,
    SYS_fsmount,
    SYS_move_mount,
    SYS_open_tree,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_perf_event_open,
    SYS_kcmp,
    SYS_seccomp,
    SYS_landlock_create_ruleset,
    SYS_landlock_add_rule,
    SYS_landlock_restrict_self,
    SYS_userfaultfd,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_modify_ldt,
    SYS_personality,
    SYS_lookup_dcookie,
    SYS_syslog,
    SYS_sysfs,
    SYS_uselib,
};

static int install(struct sock_filter *filter, size_t length)
{
    struct sock_fprog program = {.len = (unsigned short)length, .filter = filter};

    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static int install_system_service(void)
{
    struct sock_filter filter[5 + 2 * LENGTH(no_service_calls)] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
        RETURN(SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
    };
    size_t length = 4;

    for (size_t i = 0; i < LENGTH(no_service_calls); i++) {
        filter[length++] = (struct sock_filter)SKIP_UNLESS((unsigned)no_service_calls[i], 1);
        filter[length++] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
    }
    filter[length++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
    return install(filter, length);
}

static int write_map(pid_t pid, const char *file, unsigned id)
{
    char path[64];
    FILE *map;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    map = fopen(path, "we");
    if (!map || fprintf(map, "0 0 1\n%u %u 1\n", id, id) < 0)
        return -1;
    return fclose(map);
}

/* PrivateUsers=yes: root and the unit's user are who they are, and all others are nobody. A child
 * that has stayed outside writes the maps. */
static int private_users(void)
{
    const struct passwd *user = getpwnam("redis");
    int ready[2], status;
    pid_t writer, self = getpid();
    char byte = 0;

    if (!user || pipe(ready) != 0 || (writer = fork()) < 0)
        return -1;
    if (writer == 0) {
        if (read(ready[0], &byte, 1) != 1 || write_map(self, "uid_map", user->pw_uid) != 0 ||
            write_map(self, "gid_map", user->pw_gid) != 0)
            _exit(1);
        _exit(0);
    }
    if (unshare(CLONE_NEWUSER) != 0 || write(ready[1], &byte, 1) != 1 ||
        waitpid(writer, &status, 0) != writer)
        return -1;
    close(ready[0]);
    close(ready[1]);
    errno = EPERM;
    return status == 0 ? 0 : -1;
}

static int harden(const char *word)
{
    if (strcmp(word, "no-new-privs") == 0)
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (strcmp(word, "mdwe") == 0)
        return prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0);
    if (strcmp(word, "deny-write-execute") == 0)
        return install(deny_write_execute, LENGTH(deny_write_execute));
    if (strcmp(word, "system-service") == 0)
        return install_system_service();
    if (strcmp(word, "address-families") == 0)
        return install(address_families, LENGTH(address_families));
    if (strcmp(word, "no-namespaces") == 0)
        return install(no_namespaces, LENGTH(no_namespaces));
    if (strcmp(word, "private-users") == 0)
        return private_users();
    errno = EINVAL;
    return -1;
}

int main(int argc, char **argv)
{
    int i = 1;

    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (harden(argv[i]) != 0) {
            fprintf(stderr, "hardened: %s: %s\n", argv[i], strerror(errno));
            return SKIPPED;
        }
    }
    if (i + 1 >= argc)
        return 2;
    execvp(argv[i + 1], argv + i + 1);
    fprintf(stderr, "hardened: %s: %s\n", argv[i + 1], strerror(errno));
    return 126;
}
