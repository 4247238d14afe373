/* In the sandbox a process keeps what it was given, and gets nothing else. Each test is a child,
 * since there is no way out. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/os/file.h"
#include "node/os/sandbox.h"

static char folder[64];
static const char *const folders[] = {folder, NULL};
static const char *const runnable[] = {"/bin/true", NULL};
static const struct sandbox strict = {.write_paths = folders};
static const struct sandbox running = {.write_paths = folders, .run_paths = runnable};

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "line %d: %s: %s\n", __LINE__, #condition, strerror(errno));     \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static void in_child(void (*body)(void))
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(status, 0);
}

static int enter(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/consilium-sandbox-XXXXXX");
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int leave(void **state)
{
    (void)state;
    return unlink("file") != 0 || chdir("/") != 0 || rmdir(folder) != 0;
}

static void need_landlock(const struct sandbox *sandbox)
{
    err result = sandbox_paths(sandbox);
    if (result == ERR_UNSUPPORTED)
        _exit(77);
    CHECK(result == OK);
}

static bool refused(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    if (fd >= 0)
        (void)close(fd);
    return fd < 0 && errno == EACCES;
}

static bool runs(const char *program)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        (void)execl(program, program, (char *)NULL);
        _exit(errno == EACCES || errno == EPERM ? 98 : 99);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static void paths_body(void)
{
    uint8_t *data = NULL;
    size_t size = 0;
    need_landlock(&strict);
    CHECK(refused("/etc/shadow", O_RDONLY));
    CHECK(refused("/root", O_RDONLY | O_DIRECTORY));
    CHECK(refused("/tmp/consilium-outside", O_WRONLY | O_CREAT));
    CHECK(refused("/etc/passwd", O_WRONLY));
    CHECK(mkdir("/tmp/consilium-outside", 0700) != 0 && errno == EACCES);
    CHECK(!runs("/bin/true"));
    CHECK(file_write("file", bytes_of_text("content"), 0600) == OK);
    CHECK(file_read("file", 100, &data, &size) == OK && size == 7);
    free(data);
    int fd = open("/etc/passwd", O_RDONLY);
    CHECK(fd >= 0);
    (void)close(fd);
}

static void only_the_paths_that_were_named_are_open(void **state)
{
    (void)state;
    in_child(paths_body);
}

static void run_body(void)
{
    need_landlock(&running);
    CHECK(sandbox_calls(&running) == OK);
    CHECK(runs("/bin/true"));
    CHECK(!runs("/bin/echo"));
    CHECK(!runs("/bin/sh"));
}

static void only_the_programs_that_were_named_run(void **state)
{
    (void)state;
    in_child(run_body);
}

static void *thread_body(void *started)
{
    pthread_barrier_wait(started);
    pthread_barrier_wait(started);
    return (void *)(intptr_t)(unshare(CLONE_FS) != 0 && errno == EPERM);
}

static void calls_body(void)
{
    pthread_t thread;
    pthread_barrier_t started;
    void *bound = NULL;
    CHECK(pthread_barrier_init(&started, NULL, 2) == 0);
    CHECK(pthread_create(&thread, NULL, thread_body, &started) == 0);
    pthread_barrier_wait(&started);
    CHECK(sandbox_calls(&strict) == OK);
    pthread_barrier_wait(&started);
    CHECK(pthread_join(thread, &bound) == 0);
    CHECK(bound != NULL); /* threads that ran already are bound too */
    CHECK(execl("/bin/true", "true", (char *)NULL) != 0 && errno == EPERM);
    CHECK(unshare(CLONE_NEWUSER) != 0 && errno == EPERM);
    CHECK(socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM);
    CHECK(chroot("/") != 0 && errno == EPERM);
#ifndef __SANITIZE_ADDRESS__
    CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 && errno == EPERM);
#endif
}

static void dangerous_calls_are_refused_to_all_threads(void **state)
{
    (void)state;
    in_child(calls_body);
}

static void *nothing_body(void *argument)
{
    return argument;
}

/* 0, or how it failed, as a positive number; nothing of it is left in the process that asks. */
static int look_up(void)
{
    struct addrinfo *found = NULL;
    int result = getaddrinfo("localhost", "1", NULL, &found);
    if (result == 0)
        freeaddrinfo(found);
    return -result;
}

/* What a free process finds: on a machine that knows no localhost, nothing. */
static int found_outside;

static void look_up_outside(void)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(look_up());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    found_outside = WEXITSTATUS(status);
}

static void work_body(void)
{
    pthread_t thread;
    CHECK(sandbox_calls(&strict) == OK);
    CHECK(pthread_create(&thread, NULL, nothing_body, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(file_write("file", bytes_of_text("content"), 0600) == OK);
    CHECK(look_up() == found_outside);
    CHECK(socket(AF_INET, SOCK_STREAM, 0) >= 0 && socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
}

static void a_daemons_work_goes_on(void **state)
{
    (void)state;
    look_up_outside();
    in_child(work_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_paths_that_were_named_are_open),
        cmocka_unit_test(only_the_programs_that_were_named_run),
        cmocka_unit_test(dangerous_calls_are_refused_to_all_threads),
        cmocka_unit_test(a_daemons_work_goes_on),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
