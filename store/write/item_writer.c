#include "store/write/item_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/disk/item_disk.h"
#include "store/write/writer.h"

enum {
    SYNC_SIZE = 4 * 1024 * 1024,
    SYNC_WAIT_MS = 50, /* the longest time from a chunk's arrival to its sync */
    QUEUE_SIZE_MAX = 16 * 1024 * 1024,
    OPEN_COUNT_MAX = 16,
};

/* A queued job. A chunk's job stays until its chunk is synced. */
struct job {
    struct job *next;
    struct item_id item;
    struct item_file_shape shape; /* create */
    bool is_chunk;
    uint32_t index;
    struct hash leaf;
    size_t size;
    struct batch *done; /* allocated in advance: a result must not fail for lack of memory */
    uint8_t data[];
};

/* An item with chunks that are written but not synced. The sync closes it again, so that a deleted
 * file is not held open for long. */
struct open_item {
    bool used;
    struct item_id item;
    int fd;
    struct item_row row; /* its bits are those to be added; `memory` */
    uint8_t *memory;
    struct job *jobs;
    size_t size;         /* not yet synced */
    struct timespec due; /* monotonic */
};

struct item_writer {
    struct store *store;
    pthread_t thread;
    struct open_item items[OPEN_COUNT_MAX];

    pthread_mutex_t lock; /* guards the fields below */
    pthread_cond_t wake;
    struct job *first;
    struct job *last;
    size_t queue_size; /* of jobs that wait or are not synced */
    bool stopping;
};

/* ---- results ---- */

static void finish(struct item_writer *thread, struct job *job, err result)
{
    struct batch *done = job->done;
    done->result = result;
    pthread_mutex_lock(&thread->lock);
    thread->queue_size -= job->size;
    pthread_mutex_unlock(&thread->lock);
    free(job);
    writer_done(thread->store->writer, done);
}

/* Lets the writer commit `row` as a whole (create) or its bits (sync), and waits for it. */
static err commit_row(struct item_writer *thread, enum batch_kind kind, const struct item_id *item,
                      const struct item_row *row)
{
    size_t size = 12 + ITEM_ROW_FILE_SIZE + row->bits.size;
    uint8_t *value = malloc(size);
    if (value == NULL) {
        return ERR_NO_MEMORY;
    }
    struct buffer buffer = buffer_over(value, size);
    item_row_write(&buffer, row);
    struct batch *batch;
    err result = batch_new_item(kind, item, buffer_bytes(&buffer), 0, &batch);
    free(value);
    if (result == OK) {
        result = writer_commit(thread->store->writer, batch);
        batch_free(batch);
    }
    return result;
}

/* ---- jobs ---- */

static err create(struct item_writer *thread, const struct job *job)
{
    struct store *store = thread->store;
    struct item_row row;
    uint8_t *memory;
    err result = item_disk_row(store, &job->item, &row, &memory);
    if (result == OK) {
        bool same =
            row.shape.size == job->shape.size && row.shape.chunk_size == job->shape.chunk_size;
        free(memory);
        return same ? OK : ERR_EXISTS;
    }
    if (result != ERR_NOT_FOUND) {
        return result;
    }
    uint64_t taken = writer_status(store->writer).state.item_bytes;
    if (taken + item_row_allotted(&job->shape) > store->options.item_quota) {
        return ERR_FULL;
    }
    row = (struct item_row){.shape = job->shape};
    row.bits.size = item_row_bits_size(&row.shape);
    memory = calloc(1, row.bits.size);
    if (memory == NULL) {
        return ERR_NO_MEMORY;
    }
    row.bits.data = memory;
    randombytes_buf(row.file, sizeof row.file);
    result = item_disk_make(store, &row);
    if (result == OK) {
        result = commit_row(thread, BATCH_ITEM_CREATE, &job->item, &row);
        if (result != OK && item_disk_remove(store, row.file) != OK) {
            result = ERR_IO; /* the next start removes it */
        }
    }
    free(memory);
    return result;
}

static void sync_item(struct item_writer *thread, struct open_item *open)
{
    err result = fdatasync(open->fd) == 0 ? OK : ERR_IO;
    close(open->fd);
    if (result == OK) {
        result = commit_row(thread, BATCH_ITEM_BITS, &open->item, &open->row);
    }
    for (struct job *job = open->jobs; job != NULL;) {
        struct job *next = job->next;
        finish(thread, job, result);
        job = next;
    }
    free(open->memory);
    *open = (struct open_item){.used = false};
}

/* The item's place; else the place whose sync is due first, synced and free. */
static struct open_item *find_open(struct item_writer *thread, const struct item_id *item)
{
    struct open_item *best = NULL;
    for (size_t i = 0; i < OPEN_COUNT_MAX; i += 1) {
        struct open_item *open = &thread->items[i];
        if (open->used && ID_EQUAL(open->item, *item)) {
            return open;
        }
        bool sooner =
            best != NULL && best->used &&
            (!open->used || open->due.tv_sec < best->due.tv_sec ||
             (open->due.tv_sec == best->due.tv_sec && open->due.tv_nsec < best->due.tv_nsec));
        if (best == NULL || sooner) {
            best = open;
        }
    }
    if (best->used) {
        sync_item(thread, best);
    }
    return best;
}

static err open_item(struct item_writer *thread, const struct item_id *item, struct open_item *open)
{
    char name[ITEM_ROW_NAME_SIZE];
    uint8_t *memory;
    struct item_row row;
    err result = item_disk_row(thread->store, item, &row, &memory);
    if (result != OK) {
        return result;
    }
    item_row_name(row.file, name);
    int fd = openat(thread->store->directory.items_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    uint8_t *bits = calloc(1, row.bits.size);
    free(memory);
    if (fd < 0 || bits == NULL) {
        result = bits == NULL ? ERR_NO_MEMORY : errno == ENOENT ? ERR_CORRUPT : ERR_IO;
        if (fd >= 0) {
            close(fd);
        }
        free(bits);
        return result;
    }
    row.bits.data = bits;
    *open = (struct open_item){.used = true, .item = *item, .fd = fd, .row = row, .memory = bits};
    clock_gettime(CLOCK_MONOTONIC, &open->due);
    open->due.tv_nsec += SYNC_WAIT_MS * 1000000L;
    open->due.tv_sec += open->due.tv_nsec / 1000000000L;
    open->due.tv_nsec %= 1000000000L;
    return OK;
}

static void write_chunk(struct item_writer *thread, struct job *job)
{
    struct open_item *open = find_open(thread, &job->item);
    err result = open->used ? OK : open_item(thread, &job->item, open);
    if (result == OK && (job->index >= item_row_chunk_count(&open->row.shape) ||
                         job->size != item_row_chunk_size(&open->row.shape, job->index))) {
        result = ERR_INVALID;
    }
    if (result == OK) {
        result =
            item_disk_write(open->fd, job->data, job->size, (uint64_t)job->index * CHUNK_SIZE_MAX);
    }
    if (result == OK) {
        result = item_disk_write(open->fd, job->leaf.bytes, HASH_SIZE,
                                 item_row_leaf_offset(&open->row.shape, job->index));
    }
    if (result != OK) {
        finish(thread, job, result);
        if (open->used && open->jobs == NULL) {
            sync_item(thread, open);
        }
        return;
    }
    open->memory[job->index / 8] |= (uint8_t)(1u << (job->index % 8));
    job->next = open->jobs;
    open->jobs = job;
    open->size += job->size;
    if (open->size >= SYNC_SIZE) {
        sync_item(thread, open);
    }
}

static void run_job(struct item_writer *thread, struct job *job)
{
    if (job->is_chunk) {
        write_chunk(thread, job);
        return;
    }
    struct open_item *open = find_open(thread, &job->item);
    if (open->used) {
        sync_item(thread, open);
    }
    finish(thread, job, create(thread, job));
}

/* ---- the thread ---- */

static bool due(const struct timespec *due, const struct timespec *now)
{
    return due->tv_sec < now->tv_sec ||
           (due->tv_sec == now->tv_sec && due->tv_nsec <= now->tv_nsec);
}

/* Syncs what is due; `*ret_next` is when the next sync is due, if any. */
static bool sync_due(struct item_writer *thread, bool all, struct timespec *ret_next)
{
    struct timespec now;
    bool any = false;
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (size_t i = 0; i < OPEN_COUNT_MAX; i += 1) {
        struct open_item *open = &thread->items[i];
        if (open->used && (all || due(&open->due, &now))) {
            sync_item(thread, open);
        } else if (open->used && (!any || due(&open->due, ret_next))) {
            *ret_next = open->due;
            any = true;
        }
    }
    return any;
}

static void *run(void *arg)
{
    struct item_writer *thread = arg;
    struct timespec next;
    bool any = false;
    pthread_mutex_lock(&thread->lock);
    while (thread->first != NULL || !thread->stopping) {
        struct job *job = thread->first;
        if (job == NULL && any) {
            pthread_cond_timedwait(&thread->wake, &thread->lock, &next);
        } else if (job == NULL) {
            pthread_cond_wait(&thread->wake, &thread->lock);
        } else {
            thread->first = job->next;
            thread->last = job->next == NULL ? NULL : thread->last;
        }
        pthread_mutex_unlock(&thread->lock);
        if (job != NULL) {
            job->next = NULL;
            run_job(thread, job);
        }
        any = sync_due(thread, false, &next);
        pthread_mutex_lock(&thread->lock);
    }
    pthread_mutex_unlock(&thread->lock);
    (void)sync_due(thread, true, &next);
    return NULL;
}

static err enqueue(struct item_writer *thread, struct job *job)
{
    err result = OK;
    pthread_mutex_lock(&thread->lock);
    if (thread->stopping) {
        result = ERR_IO;
    } else if (thread->queue_size + job->size > QUEUE_SIZE_MAX) {
        result = ERR_BUSY;
    } else {
        thread->queue_size += job->size;
        if (thread->last == NULL) {
            thread->first = job;
        } else {
            thread->last->next = job;
        }
        thread->last = job;
        pthread_cond_signal(&thread->wake);
    }
    pthread_mutex_unlock(&thread->lock);
    if (result != OK) {
        batch_free(job->done);
        free(job);
    }
    return result;
}

static struct job *job_new(const struct item_id *item, size_t size, uint64_t token)
{
    struct job *job = malloc(sizeof *job + size);
    struct batch *done = batch_new_empty(token);
    if (job == NULL || done == NULL) {
        free(job);
        batch_free(done);
        return NULL;
    }
    *job = (struct job){.item = *item, .size = size, .done = done};
    return job;
}

err item_writer_create(struct item_writer *thread, const struct item_id *item,
                       const struct item_file_shape *shape, uint64_t token)
{
    struct job *job = job_new(item, 0, token);
    if (job == NULL) {
        return ERR_NO_MEMORY;
    }
    job->shape = *shape;
    return enqueue(thread, job);
}

err item_writer_write(struct item_writer *thread, const struct item_id *item,
                      const struct item_file_chunk *chunk, uint64_t token)
{
    struct job *job = job_new(item, chunk->data.size, token);
    if (job == NULL) {
        return ERR_NO_MEMORY;
    }
    job->is_chunk = true;
    job->index = chunk->index;
    job->leaf = chunk->leaf;
    memcpy(job->data, chunk->data.data, chunk->data.size);
    return enqueue(thread, job);
}

/* ---- start and stop ---- */

err item_writer_start(struct store *store, struct item_writer **ret_thread)
{
    err result = item_disk_clean(store);
    if (result != OK) {
        return result;
    }
    struct item_writer *thread = calloc(1, sizeof *thread);
    if (thread == NULL) {
        return ERR_NO_MEMORY;
    }
    pthread_condattr_t monotonic;
    thread->store = store;
    pthread_mutex_init(&thread->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&thread->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&thread->thread, NULL, run, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0) {
        free(thread);
        return ERR_NO_MEMORY;
    }
    *ret_thread = thread;
    return OK;
}

void item_writer_stop(struct item_writer *thread)
{
    if (thread == NULL) {
        return;
    }
    pthread_mutex_lock(&thread->lock);
    thread->stopping = true;
    pthread_cond_signal(&thread->wake);
    pthread_mutex_unlock(&thread->lock);
    pthread_join(thread->thread, NULL);
    pthread_cond_destroy(&thread->wake);
    pthread_mutex_destroy(&thread->lock);
    free(thread);
}
