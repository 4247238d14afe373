/* Each thread has its own queue, chosen by the affinity: order costs nothing, and nobody steals.
 * What is done is collected in one list, and the loop is woken when that list was empty. */
#include "node/io/workers.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { WORKERS_THREAD_COUNT_MAX = 64 };

struct workers_list {
    struct job *first;
    struct job *last;
};

struct workers_thread {
    struct workers *workers;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards list and stopping */
    pthread_cond_t wake;
    struct workers_list list;
    bool stopping;
    bool started;
};

struct workers {
    uv_async_t async;
    pthread_mutex_t mutex; /* guards done */
    struct workers_list done;
    unsigned thread_count; /* of the pool; the slow lane is the one after them */
    unsigned job_count_max;
    unsigned pending; /* the loop's only */
    bool stopping;    /* the loop's only */
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

static void workers_finish(struct workers *workers, struct job *job)
{
    pthread_mutex_lock(&workers->mutex);
    bool first = workers->done.first == NULL;
    workers_append(&workers->done, job);
    pthread_mutex_unlock(&workers->mutex);
    if (first)
        uv_async_send(&workers->async);
}

static void *workers_main(void *argument)
{
    struct workers_thread *thread = argument;
    for (;;) {
        pthread_mutex_lock(&thread->mutex);
        while (thread->list.first == NULL && !thread->stopping)
            pthread_cond_wait(&thread->wake, &thread->mutex);
        struct job *job = workers_pop(&thread->list);
        pthread_mutex_unlock(&thread->mutex);
        if (job == NULL)
            return NULL;
        job->run(job);
        workers_finish(thread->workers, job);
    }
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

static void workers_on_async(uv_async_t *async)
{
    workers_collect(async->data);
}

static void workers_on_close(uv_handle_t *handle)
{
    struct workers *workers = handle->data;
    pthread_mutex_destroy(&workers->mutex);
    free(workers);
}

static err workers_start(struct workers_thread *thread, struct workers *workers)
{
    thread->workers = workers;
    if (pthread_mutex_init(&thread->mutex, NULL) != 0)
        return ERR_NO_MEMORY;
    if (pthread_cond_init(&thread->wake, NULL) != 0) {
        pthread_mutex_destroy(&thread->mutex);
        return ERR_NO_MEMORY;
    }
    if (pthread_create(&thread->thread, NULL, workers_main, thread) != 0) {
        pthread_cond_destroy(&thread->wake);
        pthread_mutex_destroy(&thread->mutex);
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
    if (uv_async_init(loop, &workers->async, workers_on_async) != 0) {
        pthread_mutex_destroy(&workers->mutex);
        free(workers);
        return ERR_IO;
    }
    workers->async.data = workers;
    for (unsigned i = 0; i <= thread_count; i++) {
        err result = workers_start(&workers->threads[i], workers);
        if (result != OK) {
            workers_free(workers);
            return result;
        }
    }
    *ret_workers = workers;
    return OK;
}

static err workers_put(struct workers *workers, unsigned index, struct job *job)
{
    if (workers->stopping || workers->pending >= workers->job_count_max)
        return ERR_BUSY;
    workers->pending++;
    struct workers_thread *thread = &workers->threads[index];
    pthread_mutex_lock(&thread->mutex);
    bool first = thread->list.first == NULL;
    workers_append(&thread->list, job);
    pthread_mutex_unlock(&thread->mutex);
    if (first)
        pthread_cond_signal(&thread->wake);
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
    for (unsigned i = 0; i <= workers->thread_count; i++) {
        struct workers_thread *thread = &workers->threads[i];
        if (!thread->started)
            continue;
        pthread_mutex_lock(&thread->mutex);
        thread->stopping = true;
        pthread_mutex_unlock(&thread->mutex);
        pthread_cond_signal(&thread->wake);
    }
    for (unsigned i = 0; i <= workers->thread_count; i++) {
        struct workers_thread *thread = &workers->threads[i];
        if (!thread->started)
            continue;
        pthread_join(thread->thread, NULL);
        pthread_cond_destroy(&thread->wake);
        pthread_mutex_destroy(&thread->mutex);
    }
    workers_collect(workers);
    assert(workers->pending == 0);
    uv_close((uv_handle_t *)&workers->async, workers_on_close);
}
