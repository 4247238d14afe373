#include "node/os/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <seccomp.h>

/* ---- paths ---- */

enum {
    SANDBOX_READ_FILE = LANDLOCK_ACCESS_FS_READ_FILE,
    SANDBOX_READ = SANDBOX_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    SANDBOX_RUN = SANDBOX_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE,
    SANDBOX_WRITE_FILE = SANDBOX_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE,
    SANDBOX_TRUNCATE = 1 << 14, /* since the third version; not in Debian 12's header */
    SANDBOX_FIRST_VERSION = (1 << 13) - 1,
};

/* What the libraries read: names of hosts and groups, the time, themselves. */
static const char *const sandbox_reads[] = {"/etc/resolv.conf",
                                            "/etc/hosts",
                                            "/etc/host.conf",
                                            "/etc/gai.conf",
                                            "/etc/nsswitch.conf",
                                            "/etc/services",
                                            "/etc/protocols",
                                            "/etc/passwd",
                                            "/etc/group",
                                            "/etc/localtime",
                                            "/usr/share/zoneinfo",
                                            "/etc/ssl/certs",
                                            "/etc/ld.so.cache",
                                            "/run/systemd/resolve",
                                            "/usr/lib",
                                            "/lib",
                                            "/lib64",
                                            "/dev/urandom",
                                            "/proc/self",
                                            "/sys/devices/system/cpu",
                                            NULL};

/* What starts every program that is linked dynamically. */
static const char *const sandbox_loaders[] = {"/lib64/ld-linux-x86-64.so.2",
                                              "/lib/ld-linux-aarch64.so.1", NULL};

static const char *const sandbox_devices[] = {"/dev/null", NULL};

/* Everything that the kernel's version of Landlock can refuse. */
static uint64_t sandbox_handled(long version)
{
    uint64_t handled = SANDBOX_FIRST_VERSION;
    if (version >= 2)
        handled |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3)
        handled |= SANDBOX_TRUNCATE;
    return handled;
}

/* A path that is missing needs no permission. */
static bool sandbox_allow(int ruleset, const char *path, uint64_t access)
{
    struct stat about;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == EACCES || errno == ENOTDIR;
    bool done = fstat(fd, &about) == 0;
    if (done && !S_ISDIR(about.st_mode))
        access &= SANDBOX_RUN | SANDBOX_WRITE_FILE | SANDBOX_TRUNCATE;
    const struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
    done =
        done && syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    int error_before = errno;
    (void)close(fd);
    errno = error_before;
    return done;
}

static bool sandbox_allow_all(int ruleset, const char *const *paths, uint64_t access)
{
    for (size_t i = 0; paths != NULL && paths[i] != NULL; i++)
        if (!sandbox_allow(ruleset, paths[i], access))
            return false;
    return true;
}

static bool sandbox_restrict(const struct sandbox *sandbox, int ruleset, uint64_t handled)
{
    uint64_t write = handled & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE;
    return sandbox_allow_all(ruleset, sandbox_reads, SANDBOX_READ) &&
           sandbox_allow_all(ruleset, sandbox_devices, SANDBOX_WRITE_FILE) &&
           sandbox_allow_all(ruleset, sandbox->read_paths, SANDBOX_READ) &&
           sandbox_allow_all(ruleset, sandbox->write_paths, write) &&
           (sandbox->run_paths == NULL ||
            (sandbox_allow_all(ruleset, sandbox_loaders, SANDBOX_RUN) &&
             sandbox_allow_all(ruleset, sandbox->run_paths, SANDBOX_RUN))) &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
}

err sandbox_paths(const struct sandbox *sandbox)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1)
        return ERR_UNSUPPORTED;
    const struct landlock_ruleset_attr rules = {.handled_access_fs = sandbox_handled(version)};
    long ruleset = syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    if (ruleset < 0)
        return ERR_IO;
    bool done = sandbox_restrict(sandbox, (int)ruleset, rules.handled_access_fs);
    int error_before = errno;
    (void)close((int)ruleset);
    errno = error_before;
    return done ? OK : ERR_IO;
}

/* ---- system calls ---- */

static const char *const sandbox_calls_always[] = {
    /* files */
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2",
    "pwritev2", "lseek", "open", "openat", "openat2", "close", "close_range", "stat", "fstat",
    "lstat", "newfstatat", "statx", "statfs", "fstatfs", "access", "faccessat", "faccessat2",
    "readlink", "readlinkat", "getdents64", "getcwd", "chdir", "fchdir", "mkdir", "mkdirat",
    "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "link", "linkat", "chmod",
    "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat", "umask", "truncate", "ftruncate",
    "fallocate", "fadvise64", "fsync", "fdatasync", "sync_file_range", "msync", "flock", "fcntl",
    "dup", "dup2", "dup3", "pipe", "pipe2", "sendfile", "copy_file_range", "memfd_create",
    "utimensat",
    /* waiting */
    "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl",
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2", "signalfd4",
    "timerfd_create", "timerfd_settime", "timerfd_gettime", "nanosleep", "clock_nanosleep",
    "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
    /* sockets; which families, below */
    "socketpair", "bind", "listen", "accept", "accept4", "connect", "shutdown", "getsockname",
    "getpeername", "getsockopt", "setsockopt", "sendto", "recvfrom", "sendmsg", "recvmsg",
    "sendmmsg", "recvmmsg",
    /* memory */
    "mmap", "munmap", "mremap", "mprotect", "madvise", "mlock", "mlock2", "munlock", "mincore",
    "brk",
    /* threads, signals, time, oneself */
    "futex", "set_robust_list", "get_robust_list", "rseq", "set_tid_address", "gettid", "getpid",
    "getppid", "getpgrp", "getpgid", "getsid", "getuid", "geteuid", "getgid", "getegid",
    "getresuid", "getresgid", "getgroups", "exit", "exit_group", "rt_sigaction", "rt_sigprocmask",
    "rt_sigreturn", "rt_sigtimedwait", "rt_sigpending", "rt_sigsuspend", "rt_sigqueueinfo",
    "sigaltstack", "restart_syscall", "tgkill", "kill", "wait4", "waitid", "clock_gettime",
    "clock_getres", "gettimeofday", "time", "times", "getrusage", "getrlimit", "setrlimit",
    "prlimit64", "sched_yield", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
    "sched_get_priority_max", "sched_get_priority_min",
    "sched_setscheduler", /* libzmq's threads say again what they are, perhaps after the filter */
    "uname", "sysinfo", "getrandom", "getcpu", "membarrier", "prctl", "alarm", "setitimer",
    /* making oneself smaller still, for children */
    "seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
#ifdef __SANITIZE_ADDRESS__
    "ptrace", "process_vm_readv", "getdents", /* its search for leaks, at the end */
#endif
    NULL};

static const char *const sandbox_calls_to_run[] = {"execve",  "fork",       "vfork", "setsid",
                                                   "setpgid", "arch_prctl", NULL};

static bool sandbox_call(scmp_filter_ctx filter, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return true; /* of a later libseccomp: stays refused */
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0) == 0;
}

static bool sandbox_call_all(scmp_filter_ctx filter, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (!sandbox_call(filter, names[i]))
            return false;
    return true;
}

/* Those for which it depends on an argument. */
static bool sandbox_call_some(scmp_filter_ctx filter)
{
    static const unsigned families[] = {1 /* AF_UNIX */, 2 /* AF_INET */, 10 /* AF_INET6 */,
                                        16 /* AF_NETLINK: getaddrinfo asks for addresses */};
    static const unsigned long requests[] = {FIONBIO, FIOCLEX, FIONREAD, TCGETS, TIOCGWINSZ};
    const uint64_t spaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                            CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                             SCMP_A0(SCMP_CMP_EQ, families[i])) != 0)
            return false;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                             SCMP_A1(SCMP_CMP_EQ, requests[i])) != 0)
            return false;
    /* glibc takes clone when there is no clone3, whose flags no filter can see */
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, spaces, 0)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
}

err sandbox_calls(const struct sandbox *sandbox)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL)
        return ERR_IO;
    bool made = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
                sandbox_call_all(filter, sandbox_calls_always) &&
                (sandbox->run_paths == NULL || sandbox_call_all(filter, sandbox_calls_to_run)) &&
                sandbox_call_some(filter);
    int failure = made ? seccomp_load(filter) : -EINVAL;
    seccomp_release(filter);
    errno = -failure;
    return failure == 0 ? OK : ERR_IO;
}
