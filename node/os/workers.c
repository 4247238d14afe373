/* Each thread has its own queue, chosen by the affinity, so order costs nothing; one more queue is
 * everybody's. What is done is collected in one list, and the loop is woken when that list was
 * empty. */
#include "node/os/workers.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "node/os/sched_slice.h"
#include "node/os/wakeup.h"

enum { WORKERS_THREAD_COUNT_MAX = 64 };

struct workers_list {
    struct job *first;
    struct job *last;
};

struct workers_thread {
    struct workers *workers;
    pthread_t thread;
    pthread_cond_t wake;
    struct workers_list list;
    bool is_idle; /* waits to be woken */
    bool shares;  /* takes jobs of no affinity too: not the slow lane */
    bool started;
};

struct workers {
    struct wakeup wakeup;
    pthread_mutex_t mutex; /* guards all lists, is_idle and ending */
    struct workers_list any;
    struct workers_list done;
    bool ending;
    unsigned thread_count; /* of the pool; the slow lane is the one after them */
    unsigned job_count_max;
    atomic_uint pending; /* submitted, and not told yet */
    bool stopping;       /* the loop's only */
    struct workers_thread threads[];
};

static void workers_append(struct workers_list *list, struct job *job)
{
    job->next = NULL;
    if (list->last == NULL)
        list->first = job;
    else
        list->last->next = job;
    list->last = job;
}

static struct job *workers_pop(struct workers_list *list)
{
    struct job *job = list->first;
    if (job != NULL) {
        list->first = job->next;
        if (list->first == NULL)
            list->last = NULL;
    }
    return job;
}

/* ---- on a worker ---- */

/* One who waits, for a job of no affinity; under the lock. */
static void workers_wake_one(struct workers *workers)
{
    for (unsigned i = 0; i < workers->thread_count; i++) {
        struct workers_thread *thread = &workers->threads[i];
        if (thread->is_idle) {
            thread->is_idle = false; /* the next job wakes another */
            pthread_cond_signal(&thread->wake);
            return;
        }
    }
}

/* NULL when there is nothing more and never will be; under the lock. */
static struct job *workers_next(struct workers_thread *thread)
{
    struct workers *workers = thread->workers;
    for (;;) {
        struct job *job = workers_pop(&thread->list);
        if (job != NULL && workers->any.first != NULL)
            workers_wake_one(workers); /* it may have been woken for that one */
        if (job == NULL && thread->shares)
            job = workers_pop(&workers->any);
        if (job != NULL || workers->ending)
            return job;
        thread->is_idle = true;
        pthread_cond_wait(&thread->wake, &workers->mutex);
        thread->is_idle = false;
    }
}

/* False when nobody is to be told: then the job may be gone already. */
static bool workers_run(struct job *job)
{
    if (job->run_part != NULL)
        return job->run_part(job);
    job->run(job);
    return true;
}

static void *workers_main(void *argument)
{
    struct workers_thread *thread = argument;
    struct workers *workers = thread->workers;
    struct job *job;
    pthread_mutex_lock(&workers->mutex);
    while ((job = workers_next(thread)) != NULL) {
        pthread_mutex_unlock(&workers->mutex);
        bool is_told = workers_run(job);
        pthread_mutex_lock(&workers->mutex);
        if (!is_told) {
            workers->pending--;
            continue;
        }
        bool first = workers->done.first == NULL;
        workers_append(&workers->done, job);
        if (!first)
            continue;
        pthread_mutex_unlock(&workers->mutex);
        wakeup_send(&workers->wakeup);
        pthread_mutex_lock(&workers->mutex);
    }
    pthread_mutex_unlock(&workers->mutex);
    return NULL;
}

/* ---- on the loop ---- */

static void workers_collect(struct workers *workers)
{
    pthread_mutex_lock(&workers->mutex);
    struct workers_list list = workers->done;
    workers->done = (struct workers_list){NULL, NULL};
    pthread_mutex_unlock(&workers->mutex);
    for (struct job *job; (job = workers_pop(&list)) != NULL;) {
        workers->pending--;
        job->done(job);
    }
}

static void workers_on_wake(void *user)
{
    workers_collect(user);
}

static void workers_on_close(void *user)
{
    struct workers *workers = user;
    pthread_mutex_destroy(&workers->mutex);
    free(workers);
}

static err workers_start(struct workers_thread *thread, struct workers *workers)
{
    thread->workers = workers;
    if (pthread_cond_init(&thread->wake, NULL) != 0)
        return ERR_NO_MEMORY;
    if (pthread_create(&thread->thread, NULL, workers_main, thread) != 0) {
        pthread_cond_destroy(&thread->wake);
        return ERR_IO;
    }
    thread->started = true;
    return OK;
}

err workers_new(uv_loop_t *loop, unsigned thread_count, unsigned job_count_max,
                struct workers **ret_workers)
{
    assert(thread_count >= 1 && thread_count <= WORKERS_THREAD_COUNT_MAX);
    struct workers *workers =
        calloc(1, sizeof *workers + (thread_count + 1) * sizeof workers->threads[0]);
    if (workers == NULL)
        return ERR_NO_MEMORY;
    workers->thread_count = thread_count;
    workers->job_count_max = job_count_max;
    if (pthread_mutex_init(&workers->mutex, NULL) != 0) {
        free(workers);
        return ERR_NO_MEMORY;
    }
    err result = wakeup_open(&workers->wakeup, loop, workers_on_wake, workers);
    if (result != OK) {
        pthread_mutex_destroy(&workers->mutex);
        free(workers);
        return result;
    }
    sched_slice_long(); /* a new thread's is its maker's */
    for (unsigned i = 0; result == OK && i <= thread_count; i++) {
        workers->threads[i].shares = i < thread_count;
        result = workers_start(&workers->threads[i], workers);
    }
    sched_slice_short();
    if (result != OK) {
        workers_free(workers);
        return result;
    }
    *ret_workers = workers;
    return OK;
}

static bool workers_admit(struct workers *workers, unsigned count_max)
{
    bool admits = !workers->stopping && workers->pending < count_max;
    workers->pending += admits ? 1 : 0;
    return admits;
}

static err workers_put(struct workers *workers, unsigned index, struct job *job)
{
    struct workers_thread *thread = &workers->threads[index];
    if (!workers_admit(workers, workers->job_count_max))
        return ERR_BUSY;
    pthread_mutex_lock(&workers->mutex);
    workers_append(&thread->list, job);
    if (thread->is_idle)
        pthread_cond_signal(&thread->wake);
    pthread_mutex_unlock(&workers->mutex);
    return OK;
}

err workers_submit_any(struct workers *workers, struct job *job)
{
    if (!workers_admit(workers, workers->job_count_max - workers->job_count_max / 4))
        return ERR_BUSY;
    pthread_mutex_lock(&workers->mutex);
    workers_append(&workers->any, job);
    workers_wake_one(workers);
    pthread_mutex_unlock(&workers->mutex);
    return OK;
}

err workers_submit(struct workers *workers, uint64_t affinity, struct job *job)
{
    /* the multiplier of Fibonacci hashing (Knuth, TAOCP 3, 6.4) */
    uint64_t mixed = (affinity * 0x9e3779b97f4a7c15u) >> 32;
    return workers_put(workers, (unsigned)(mixed % workers->thread_count), job);
}

err workers_submit_slow(struct workers *workers, struct job *job)
{
    return workers_put(workers, workers->thread_count, job);
}

unsigned workers_pending(const struct workers *workers)
{
    return workers->pending;
}

void workers_free(struct workers *workers)
{
    if (workers == NULL)
        return;
    workers->stopping = true;
    pthread_mutex_lock(&workers->mutex);
    workers->ending = true;
    for (unsigned i = 0; i <= workers->thread_count; i++) {
        if (workers->threads[i].started)
            pthread_cond_signal(&workers->threads[i].wake);
    }
    pthread_mutex_unlock(&workers->mutex);
    for (unsigned i = 0; i <= workers->thread_count; i++) {
        struct workers_thread *thread = &workers->threads[i];
        if (!thread->started)
            continue;
        pthread_join(thread->thread, NULL);
        pthread_cond_destroy(&thread->wake);
    }
    workers_collect(workers);
    assert(workers->pending == 0);
    wakeup_close(&workers->wakeup, workers_on_close);
}
