#include "store/write/writer.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "store/write/commit.h"
#include "store/write/rekey.h"

enum { CHORE_PERIOD_S = 60 };

struct queue {
    struct batch *first;
    struct batch *last;
};

struct writer {
    struct store *store;
    struct commit commit;
    struct rekey rekey;
    pthread_t thread;
    time_t chore_at; /* when the periodic tasks are due next, monotonic */
    time_t rekey_at; /* not earlier: the last step found the disk full */

    pthread_mutex_t lock;    /* guards the fields below */
    pthread_cond_t wake;     /* there is something to do */
    pthread_cond_t finished; /* a batch of store_commit is done, or the queue has space */
    struct queue waiting;
    struct queue done;
    size_t waiting_size;
    bool stopping;
    bool failed;
    bool rekey_asked;
    bool rekey_again; /* requested during a rekey, which may have passed what was destroyed */
    bool rekey_told;  /* a caller waits for `rekey_token` */
    uint64_t rekey_token;
    struct writer_status status;
};

/* ---- queues ---- */

static void append(struct queue *queue, struct batch *batch)
{
    batch->next = NULL;
    if (queue->last == NULL) {
        queue->first = batch;
    } else {
        queue->last->next = batch;
    }
    queue->last = batch;
}

static time_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void tell(struct writer *writer)
{
    const struct store_options *options = &writer->store->options;
    if (options->notify != NULL) {
        options->notify(options->arg);
    }
}

/* Takes the batches of one group from the queue. */
static struct batch *take_group(struct writer *writer)
{
    struct batch *first = writer->waiting.first;
    struct batch *last = NULL;
    size_t size = 0;
    while (writer->waiting.first != NULL &&
           (last == NULL || size + writer->waiting.first->size <= WRITER_GROUP_SIZE_MAX)) {
        last = writer->waiting.first;
        size += last->size;
        writer->waiting.first = last->next;
    }
    if (last != NULL) {
        last->next = NULL;
    }
    if (writer->waiting.first == NULL) {
        writer->waiting.last = NULL;
    }
    writer->waiting_size -= size;
    return first;
}

/* Reports the results of a whole group at once. */
static void finish_group(struct writer *writer, struct batch *first)
{
    bool drained = false;
    pthread_mutex_lock(&writer->lock);
    while (first != NULL) {
        struct batch *batch = first;
        first = batch->next;
        if (batch->waited_for) {
            batch->finished = true;
        } else {
            append(&writer->done, batch);
            drained = true;
        }
    }
    writer->status.state = writer->commit.group.state;
    writer->status.full = writer->commit.full;
    pthread_cond_broadcast(&writer->finished);
    pthread_mutex_unlock(&writer->lock);
    if (drained) {
        tell(writer);
    }
}

static void finish_rekey(struct writer *writer, err result)
{
    struct batch *batch = NULL;
    pthread_mutex_lock(&writer->lock);
    bool told = writer->rekey_told;
    uint64_t token = writer->rekey_token;
    writer->rekey_told = false;
    writer->rekey_asked = writer->rekey_again && !writer->failed;
    writer->rekey_again = false;
    writer->status.rekeying = writer->rekey_asked;
    writer->status.epoch = writer->store->keyring.epoch;
    pthread_mutex_unlock(&writer->lock);
    if (told) {
        batch = batch_new_empty(token);
    }
    if (batch != NULL) {
        batch->result = result;
        writer_done(writer, batch);
    }
}

/* (S-2) The disk failed: nothing is acknowledged any more. */
static void fail(struct writer *writer, err reason)
{
    const struct store_options *options = &writer->store->options;
    directory_mark_failed(&writer->store->directory);
    pthread_mutex_lock(&writer->lock);
    bool first = !writer->failed;
    writer->failed = true;
    writer->rekey_asked = false;
    pthread_mutex_unlock(&writer->lock);
    finish_rekey(writer, ERR_IO);
    if (first && options->fatal != NULL) {
        options->fatal(options->arg, reason);
    }
}

/* ---- the rest of its life ---- */

static void run_group(struct writer *writer, struct batch *first, bool failed)
{
    if (!failed && commit_run(&writer->commit, first) != OK) {
        fail(writer, ERR_IO);
    }
    for (struct batch *batch = first; failed && batch != NULL; batch = batch->next) {
        batch->result = ERR_IO;
    }
    finish_group(writer, first);
}

static void chores(struct writer *writer)
{
    int dead;
    writer->chore_at = now_s() + CHORE_PERIOD_S;
    (void)mdb_reader_check(writer->store->env.mdb, &dead);
    bool full = commit_refresh(&writer->commit);
    pthread_mutex_lock(&writer->lock);
    writer->status.full = full;
    pthread_mutex_unlock(&writer->lock);
}

static void run_rekey(struct writer *writer, bool asked)
{
    err result = OK;
    if (asked && !writer->rekey.active) {
        result = rekey_begin(writer->store, &writer->rekey);
    }
    if (result == OK) {
        result = rekey_step(&writer->commit.group, &writer->rekey);
    }
    if (result == ERR_FULL) {
        pthread_mutex_lock(&writer->lock);
        writer->rekey_asked = !writer->rekey.active;
        pthread_mutex_unlock(&writer->lock);
        writer->rekey_at = now_s() + CHORE_PERIOD_S;
    } else if (result != OK) {
        fail(writer, result);
    } else if (!writer->rekey.active) {
        finish_rekey(writer, OK);
    }
}

static bool rekey_due(const struct writer *writer)
{
    return !writer->failed && (writer->rekey.active || writer->rekey_asked) &&
           now_s() >= writer->rekey_at;
}

/* Waits for work; under the lock. False when it is time to end. */
static bool wait_for_work(struct writer *writer)
{
    while (writer->waiting.first == NULL && !writer->stopping && !rekey_due(writer) &&
           now_s() < writer->chore_at) {
        struct timespec until = {.tv_sec = writer->chore_at};
        pthread_cond_timedwait(&writer->wake, &writer->lock, &until);
    }
    return writer->waiting.first != NULL || !writer->stopping;
}

static void *run(void *arg)
{
    struct writer *writer = arg;
    pthread_mutex_lock(&writer->lock);
    while (wait_for_work(writer)) {
        struct batch *first = take_group(writer);
        bool failed = writer->failed;
        bool asked = writer->rekey_asked;
        bool rekey = !writer->stopping && rekey_due(writer);
        writer->rekey_asked = writer->rekey_asked && !rekey;
        pthread_cond_broadcast(&writer->finished);
        pthread_mutex_unlock(&writer->lock);
        if (first != NULL) {
            run_group(writer, first, failed);
        }
        if (rekey && !writer->failed) { /* only this thread sets it */
            run_rekey(writer, asked);
        }
        if (now_s() >= writer->chore_at) {
            chores(writer);
        }
        pthread_mutex_lock(&writer->lock);
    }
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

/* ---- called from other threads ---- */

/* The main thread handles signals. */
static int start_thread(struct writer *writer)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&writer->thread, NULL, run, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

err writer_start(struct store *store, struct write_txn *group, struct writer **ret_writer)
{
    struct writer *writer = calloc(1, sizeof *writer);
    pthread_condattr_t monotonic;
    if (writer == NULL) {
        return ERR_NO_MEMORY;
    }
    writer->store = store;
    writer->commit = (struct commit){.store = store, .group = *group};
    writer->rekey = rekey_resume(store);
    /* (S-12) the process ended between a destruction and the rekey that had to follow */
    writer->rekey_asked = group->state.forgot_epoch == store->keyring.epoch;
    writer->status =
        (struct writer_status){.state = group->state,
                               .epoch = store->keyring.epoch,
                               .rekeying = writer->rekey.active || writer->rekey_asked};
    writer->chore_at = now_s() + CHORE_PERIOD_S;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&writer->wake, &monotonic);
    pthread_cond_init(&writer->finished, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (start_thread(writer) != 0) {
        free(writer);
        return ERR_NO_MEMORY;
    }
    *ret_writer = writer;
    return OK;
}

void writer_stop(struct writer *writer)
{
    if (writer == NULL) {
        return;
    }
    pthread_mutex_lock(&writer->lock);
    writer->stopping = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    if (!writer->failed) {
        err result = write_txn_merge_index(&writer->commit.group);
        (void)result; /* on a full disk the next open does it */
    }
    for (struct batch *batch = writer->done.first; batch != NULL;) {
        struct batch *next = batch->next;
        batch_free(batch);
        batch = next;
    }
    write_txn_close(&writer->commit.group);
    pthread_cond_destroy(&writer->wake);
    pthread_cond_destroy(&writer->finished);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}

/* One batch may exceed the bound when nothing else waits, so that every allowed batch gets in. */
static bool queue_full(const struct writer *writer, const struct batch *batch)
{
    return writer->waiting_size != 0 && writer->waiting_size + batch->size > STORE_QUEUE_SIZE_MAX;
}

static err enqueue(struct writer *writer, struct batch *batch)
{
    if (writer->failed || writer->stopping) {
        return ERR_IO;
    }
    if (queue_full(writer, batch)) {
        return ERR_BUSY;
    }
    writer->waiting_size += batch->size;
    append(&writer->waiting, batch);
    pthread_cond_signal(&writer->wake);
    return OK;
}

err writer_submit(struct writer *writer, struct batch *batch)
{
    pthread_mutex_lock(&writer->lock);
    err result = enqueue(writer, batch);
    pthread_mutex_unlock(&writer->lock);
    return result;
}

err writer_commit(struct writer *writer, struct batch *batch)
{
    batch->waited_for = true;
    pthread_mutex_lock(&writer->lock);
    err result = enqueue(writer, batch);
    while (result == ERR_BUSY) {
        pthread_cond_wait(&writer->finished, &writer->lock);
        result = enqueue(writer, batch);
    }
    while (result == OK && !batch->finished) {
        pthread_cond_wait(&writer->finished, &writer->lock);
    }
    pthread_mutex_unlock(&writer->lock);
    return result == OK ? batch->result : result;
}

void writer_done(struct writer *writer, struct batch *batch)
{
    pthread_mutex_lock(&writer->lock);
    append(&writer->done, batch);
    pthread_mutex_unlock(&writer->lock);
    tell(writer);
}

struct batch *writer_take_done(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    struct batch *first = writer->done.first;
    writer->done = (struct queue){NULL, NULL};
    pthread_mutex_unlock(&writer->lock);
    return first;
}

err writer_rekey(struct writer *writer, uint64_t token)
{
    err result = OK;
    pthread_mutex_lock(&writer->lock);
    if (writer->failed || writer->stopping) {
        result = ERR_IO;
    } else if (writer->status.rekeying) {
        writer->rekey_again = !writer->rekey_asked;
        result = ERR_BUSY;
    } else {
        writer->status.rekeying = true;
        writer->rekey_asked = true;
        writer->rekey_told = true;
        writer->rekey_token = token;
        pthread_cond_signal(&writer->wake);
    }
    pthread_mutex_unlock(&writer->lock);
    return result;
}

struct writer_status writer_status(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    struct writer_status status = writer->status;
    pthread_mutex_unlock(&writer->lock);
    return status;
}
