/* Jobs of one affinity come back in order, all come back on the loop, and too many are refused. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sys/syscall.h>
#include <unistd.h>

#include "node/os/workers.h"

enum {
    AFFINITY_COUNT = 7,
    JOB_COUNT = 5000,
    MEETING_COUNT = 2000,
    WHOLE_COUNT = 500,
    PART_COUNT = 8
};

struct task {
    struct job job;
    uint64_t affinity;
    unsigned number;
    unsigned answer;

    pthread_t ran_on;
};

static pthread_t loop_thread;
static unsigned done_count;
static unsigned next_number[AFFINITY_COUNT];

static void run(struct job *job)
{
    struct task *task = (struct task *)job;
    uint32_t spin = task->number * 2654435761u;
    for (uint32_t i = spin >> 22; i > 0; i--)
        spin = spin * 1664525u + 1013904223u;
    task->answer = task->number + 1 + (spin & 0);
    task->ran_on = pthread_self();
}

static void done(struct job *job)
{
    struct task *task = (struct task *)job;
    assert_true(pthread_equal(pthread_self(), loop_thread));
    assert_false(pthread_equal(task->ran_on, loop_thread));
    assert_int_equal(task->number, next_number[task->affinity]++);
    assert_int_equal(task->answer, task->number + 1);
    done_count++;
}

static void run_loop(uv_loop_t *loop)
{
    (void)uv_run(loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(loop), 0);
}

static void begin(uv_loop_t *loop)
{
    loop_thread = pthread_self();
    done_count = 0;
    for (int i = 0; i < AFFINITY_COUNT; i++)
        next_number[i] = 0;
    assert_int_equal(uv_loop_init(loop), 0);
}

static void jobs_of_one_affinity_are_done_in_order(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct workers *workers = NULL;
    struct task *tasks = calloc(JOB_COUNT, sizeof *tasks);
    assert_non_null(tasks);
    begin(&loop);
    assert_int_equal(workers_new(&loop, 3, JOB_COUNT, &workers), OK);
    for (unsigned i = 0; i < JOB_COUNT; i++) {
        struct task *task = &tasks[i];
        *task = (struct task){.job = {.run = run, .done = done},
                              .affinity = i % AFFINITY_COUNT,
                              .number = i / AFFINITY_COUNT};
        assert_int_equal(task->affinity == 3 ? workers_submit_slow(workers, &task->job)
                                             : workers_submit(workers, task->affinity, &task->job),
                         OK);
    }
    while (done_count < JOB_COUNT)
        (void)uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(workers_pending(workers), 0);
    workers_free(workers);
    run_loop(&loop);
    free(tasks);
}

static pthread_mutex_t hold = PTHREAD_MUTEX_INITIALIZER;

static void run_held(struct job *job)
{
    pthread_mutex_lock(&hold);
    pthread_mutex_unlock(&hold);
    run(job);
}

static void too_many_are_refused_and_none_is_lost(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct workers *workers = NULL;
    struct task tasks[4];
    begin(&loop);
    assert_int_equal(workers_new(&loop, 2, 3, &workers), OK);
    pthread_mutex_lock(&hold);
    for (unsigned i = 0; i < 4; i++) {
        tasks[i] = (struct task){.job = {.run = run_held, .done = done}, .number = i};
        assert_int_equal(workers_submit(workers, 0, &tasks[i].job), i < 3 ? OK : ERR_BUSY);
    }
    assert_int_equal(workers_pending(workers), 3);
    pthread_mutex_unlock(&hold);
    while (done_count < 3)
        (void)uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(workers_submit(workers, 0, &tasks[3].job), OK);
    workers_free(workers); /* finishes the fourth */
    assert_int_equal(done_count, 4);
    run_loop(&loop);
}

static void jobs_of_no_affinity_leave_room_for_the_others(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct workers *workers = NULL;
    struct task tasks[5];
    begin(&loop);
    assert_int_equal(workers_new(&loop, 1, 4, &workers), OK);
    pthread_mutex_lock(&hold);
    for (unsigned i = 0; i < 5; i++)
        tasks[i] = (struct task){.job = {.run = run_held, .done = done}, .number = i};
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(workers_submit_any(workers, &tasks[i].job), i < 3 ? OK : ERR_BUSY);
    tasks[3].affinity = 1;
    tasks[3].number = 0;
    assert_int_equal(workers_submit_slow(workers, &tasks[3].job), OK);
    assert_int_equal(workers_submit(workers, 0, &tasks[4].job), ERR_BUSY);
    pthread_mutex_unlock(&hold);
    workers_free(workers);
    assert_int_equal(done_count, 4);
    run_loop(&loop);
}

/* The two meet at a barrier: one thread for both would wait for ever. */
static pthread_barrier_t barrier;

static void run_meeting(struct job *job)
{
    pthread_barrier_wait(&barrier);
    run(job);
}

static void the_slow_lane_does_not_hold_up_the_pool(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct workers *workers = NULL;
    struct task tasks[2];
    begin(&loop);
    assert_int_equal(pthread_barrier_init(&barrier, NULL, 2), 0);
    assert_int_equal(workers_new(&loop, 1, 8, &workers), OK);
    for (unsigned i = 0; i < 2; i++)
        tasks[i] = (struct task){.job = {.run = run_meeting, .done = done}, .affinity = i};
    assert_int_equal(workers_submit_slow(workers, &tasks[0].job), OK);
    assert_int_equal(workers_submit(workers, 1, &tasks[1].job), OK);
    while (done_count < 2)
        (void)uv_run(&loop, UV_RUN_ONCE);
    workers_free(workers);
    run_loop(&loop);
    pthread_barrier_destroy(&barrier);
}

/* Whichever of two threads the one with an affinity goes to, the other must take the one without.
 */
static void jobs_of_no_affinity_are_taken_by_whoever_is_free(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct workers *workers = NULL;
    struct task tasks[2];
    begin(&loop);
    assert_int_equal(pthread_barrier_init(&barrier, NULL, 2), 0);
    assert_int_equal(workers_new(&loop, 2, 8, &workers), OK);
    for (unsigned round = 0; round < MEETING_COUNT; round++) {
        for (unsigned i = 0; i < 2; i++)
            tasks[i] = (struct task){
                .job = {.run = run_meeting, .done = done}, .affinity = i, .number = round};
        assert_int_equal(workers_submit(workers, round, &tasks[1].job), OK);
        assert_int_equal(workers_submit_any(workers, &tasks[0].job), OK);
        while (done_count < 2 * (round + 1))
            (void)uv_run(&loop, UV_RUN_ONCE);
    }
    workers_free(workers);
    run_loop(&loop);
    pthread_barrier_destroy(&barrier);
}

struct part {
    struct job job;
    struct whole *whole;
};

struct whole {
    struct part parts[PART_COUNT];
    atomic_uint left;
};

static struct whole *whole_of(struct job *job)
{
    return ((struct part *)job)->whole;
}

static bool run_part(struct job *job)
{
    return atomic_fetch_sub(&whole_of(job)->left, 1) == 1;
}

/* Frees what its parts lie in: none of them may be touched any more. */
static void whole_done(struct job *job)
{
    struct whole *whole = whole_of(job);
    assert_int_equal(atomic_load(&whole->left), 0);
    free(whole);
    done_count++;
}

static void a_whole_is_told_once_and_by_its_last_part(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct workers *workers = NULL;
    begin(&loop);
    assert_int_equal(workers_new(&loop, 3, 2 * WHOLE_COUNT * PART_COUNT, &workers), OK);
    for (unsigned i = 0; i < WHOLE_COUNT; i++) {
        struct whole *whole = calloc(1, sizeof *whole);
        assert_non_null(whole);
        struct part *parts = whole->parts;
        atomic_init(&whole->left, PART_COUNT);
        for (unsigned j = 0; j < PART_COUNT; j++) {
            parts[j] = (struct part){{.run_part = run_part, .done = whole_done}, whole};
            assert_int_equal(workers_submit_any(workers, &parts[j].job), OK);
        }
    }
    while (done_count < WHOLE_COUNT / 2)
        (void)uv_run(&loop, UV_RUN_ONCE);
    workers_free(workers); /* finishes the others */
    assert_int_equal(done_count, WHOLE_COUNT);
    run_loop(&loop);
}

/* As the kernel tells it; 0 where it knows one length for all. */
static uint64_t slice_ns(void)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        uint32_t nice, priority;
        uint64_t runtime_ns, deadline_ns, period_ns;
    } attributes = {.size = sizeof attributes};
    assert_int_equal(syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0), 0);
    return attributes.runtime_ns;
}

static uint64_t worker_slice_ns;

static void run_slice(struct job *job)
{
    worker_slice_ns = slice_ns();
    run(job);
}

static void who_waits_goes_before_who_computes(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct workers *workers = NULL;
    struct task task = {.job = {.run = run_slice, .done = done}};
    begin(&loop);
    assert_int_equal(workers_new(&loop, 1, 4, &workers), OK);
    assert_int_equal(workers_submit_any(workers, &task.job), OK);
    workers_free(workers);
    assert_int_equal(done_count, 1);
    assert_true(slice_ns() == 0 || slice_ns() < worker_slice_ns);
    run_loop(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_of_one_affinity_are_done_in_order),
        cmocka_unit_test(too_many_are_refused_and_none_is_lost),
        cmocka_unit_test(the_slow_lane_does_not_hold_up_the_pool),
        cmocka_unit_test(jobs_of_no_affinity_are_taken_by_whoever_is_free),
        cmocka_unit_test(jobs_of_no_affinity_leave_room_for_the_others),
        cmocka_unit_test(who_waits_goes_before_who_computes),
        cmocka_unit_test(a_whole_is_told_once_and_by_its_last_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
