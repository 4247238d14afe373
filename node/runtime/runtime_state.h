/* What the shell's rooms share: runtime.c (the turn of one event), runtime_posts.c (what waits to
 * be written), verify_jobs.c (checks and seals), commit_jobs.c (commits), restore.c (the start),
 * send_queue.c (frames that wait), roster_sync.c (the roster). */
#ifndef CONSILIUM_NODE_RUNTIME_RUNTIME_STATE_H
#define CONSILIUM_NODE_RUNTIME_RUNTIME_STATE_H

#include "node/os/wakeup.h"
#include "node/roster_sync/roster_sync.h"
#include "node/rows/purge_row.h"
#include "node/runtime/batch_buffer.h"
#include "node/runtime/completions.h"
#include "node/runtime/recording.h"
#include "node/runtime/runtime.h"
#include "node/runtime/send_queue.h"

enum { RUNTIME_LISTENER_COUNT_MAX = 8, RUNTIME_POST_COUNT_MAX = 256, RUNTIME_SHOWN_COUNT = 4 };

/* A post that waits for its turn, or for its answer. */
struct runtime_waiting {
    struct runtime_waiting *next;
    uint64_t token;
    bool is_under_way;
    struct scope scope;
    enum audience audience;
    struct wall expires;
    struct wall asked_at;
    uint8_t *plaintext;
    size_t plaintext_size;
    void (*on_done)(void *arg, const struct runtime_done *done);
    void *arg;
};

/* An event that came while another was being carried out. */
struct runtime_later {
    struct runtime_later *next;
    struct event event;
};

/* How far the walk through the store came (scrub.c). */
struct scrub {
    uint64_t number;      /* the last record that was looked at */
    struct wall began_at; /* this pass, or the last one */
    struct mono next_at;
    struct mono hurry_at; /* not in a hurry again before */
    bool is_resting;      /* until a day after the pass began */
    bool is_hurried;      /* all is looked at soon */
    bool is_again;        /* something could not be named yet */
    bool is_rekey_due;
};

struct runtime {
    struct runtime_config config;
    /* runtime.c stands on all its rooms; what they ask of it goes by these: runtime_turn, _release
     */
    void (*turn)(struct runtime *runtime, struct event *event, struct batch_buffer *batch_buffer);
    void (*release)(struct runtime *runtime);
    char *name;
    char *data;
    struct store *store;
    void *roster_memory;
    struct roster roster;
    void *engine_memory;
    struct engine *engine;
    struct step *step;
    struct recording *recording;                /* NULL: none is wanted */
    uint8_t *page_memory;                       /* for short reads */
    struct consult *shown[RUNTIME_SHOWN_COUNT]; /* cases at rest that a screen looked at */
    size_t shown_next;
    struct roster_sync *heads;
    struct send_queue *send_queue;
    struct completions *completions;
    struct audit *audit;
    struct case_erasure *case_erasure; /* under way */
    struct scrub scrub;
    struct announcement_purge *announcement_purge; /* the walk under way; NULL: none */
    bool has_retractions;                          /* rows are there, or may be */
    struct mono retracting_at;                     /* the next page */
    bool is_retraction_rekey_due;
    struct mono retraction_due_at;   /* then at the latest */
    struct mono retraction_rekey_at; /* not before */
    bool owes_fork_proofs;           /* some are not posted, or may not be */
    size_t fork_proof_posts;         /* on their way into our stream */
    struct mono fork_proofs_at;      /* the next look at them */
    char *marker_path;               /* NULL: none is wanted */
    struct rollback_guard *marker;
    struct mono marker_at; /* the next look at it */
    bool is_marking;       /* its id is being kept */
    struct runtime_links links;
    uv_timer_t tick;
    struct wakeup committed;
    int handles_open;
    bool is_closing;

    struct batch_buffer_queue followers; /* sealed and loaded, to be told before anything else */
    struct batch_buffer_queue checking;  /* in the order of their effects */
    struct batch_buffer_queue keeping;
    struct batch_buffer_queue kept_under_way; /* batches that the store has */
    size_t jobs_under_way;                    /* with the workers */

    struct runtime_waiting *posts;
    uint64_t token_last;
    size_t post_count;
    struct {
        void (*on_news)(void *arg, const struct runtime_news *news);
        void *arg;
    } listeners[RUNTIME_LISTENER_COUNT_MAX];
    size_t listener_count;
    struct runtime_items items;
    bool is_turning;
    struct runtime_later *later;
};

/* Frees all when nothing is under way any more. */
void runtime_release(struct runtime *runtime);

/* Gives the core one event, and only that: what it leaves lies in shell->step. */
void runtime_step(struct runtime *runtime, const struct event *event);

/* Gives the core one event, carries out what it leaves, then what follows from that. `batch_buffer`
 * may be NULL: the memory that the event's batch lies in. */
void runtime_turn(struct runtime *runtime, struct event *event, struct batch_buffer *batch_buffer);

/* Stamps an event with the clocks. */
struct event runtime_event(enum event_kind kind);

/* ---- runtime_posts.c ---- */

/* Tries every post that is not under way. */
void runtime_posts_next(struct runtime *runtime);
/* The core's answer to one. */
void runtime_posts_done(struct runtime *runtime, const struct effect *effect);
/* Gives up on what waited too long. */
void runtime_posts_tick(struct runtime *runtime);
/* Is there one that is not under way? */
bool runtime_posts_waits(const struct runtime *runtime);
/* Answers ERR_BUSY to those that are not under way, or to all. */
void runtime_posts_stop(struct runtime *runtime, bool is_for_all);

/* ---- verify_jobs.c ---- */

/* Copies the batch, sends it to a worker; EVENT_CHECKED follows in order. */
void verify_jobs_check(struct runtime *runtime, const struct effect *effect);
/* Seals at once; the answer waits in `followers`. */
void verify_jobs_seal(struct runtime *runtime, const struct effect *effect);
/* Delivers finished checks in order. */
void verify_jobs_deliver(struct runtime *runtime);
/* True when some wait for that: they were done here while all workers were busy. */
bool verify_jobs_waits(const struct runtime *runtime);

/* ---- commit_jobs.c ---- */

/* Queues the batch for the store; `batch_buffer` is the memory it lies in. */
void commit_jobs_add(struct runtime *runtime, const struct effect *effect,
                     struct batch_buffer *batch_buffer);
/* Submits what waits, as far as the store takes it. */
void commit_jobs_submit(struct runtime *runtime);
/* Tells the core what became durable. */
void commit_jobs_drain(struct runtime *runtime);
/* Waits until all that was handed over is durable, and tells it. */
void commit_jobs_finish(struct runtime *runtime);
void commit_jobs_acked(struct runtime *runtime, const struct effect *effect);
/* The list of all equivocations known. */
void commit_jobs_forks(struct runtime *runtime, struct bytes forks);

/* ---- read_jobs.c ---- */

/* A short read; the answer waits in `followers`. */
void read_jobs_read(struct runtime *runtime, const struct effect *effect);

/* ---- case_paging.c ---- */

/* Keeps how a case stands; EVENT_RESTED follows. */
void case_paging_rows_keep(struct runtime *runtime, const struct effect *effect);
/* Gives the core an event, after it woke what the event is about. */
void case_paging_rows_step(struct runtime *runtime, const struct event *event);
/* Wakes what the last step left asleep. The step is used for it. */
void case_paging_rows_wake(struct runtime *runtime);
/* At the end: the next start need not put together what is awake. */
void case_paging_rows_close(struct runtime *runtime);
void case_paging_rows_free(struct runtime *runtime);

/* ---- case_erasure.c ---- */

/* Destroys what the case holds here; EVENT_DESTROYED follows. Once at a time for each case. */
void case_erasure_case(struct runtime *runtime, const struct scope *scope,
                       const struct record_id *erase);
/* At the start: goes on with what an earlier process did not end. */
void case_erasure_resume(struct runtime *runtime);

/* ---- announcement_purge.c ---- */

/* Is this an announcement, or a request, of a case that its writer has erased? */
bool announcement_purge_is_done(const struct runtime *runtime, const struct record_claim *claim,
                                struct bytes plaintext);
/* When this is the mirror that says so: the ops that are kept with it; else 0. They point into
 * `memory`. */
size_t announcement_purge_stage(const struct record_claim *claim, struct bytes plaintext,
                                struct purge_row_bytes *memory, struct store_op ops[static 2]);
/* There may be rows: one was kept, or the process has just begun. */
void announcement_purge_wake(struct runtime *runtime);
/* One page, or the new store key when all is done. */
void announcement_purge_tick(struct runtime *runtime);
bool announcement_purge_waits(const struct runtime *runtime);

/* ---- rollback_check.c ---- */

enum { PROVING_INTERVAL_MS = 1000 };

/* Tells the core what is kept of generations, and what the marker says; then, when it has started,
 * the file is gone on with, or begun once the store is proven. */
MUST_USE err rollback_check_restore(struct runtime *runtime, enum event_marker *ret_marker);
void rollback_check_start(struct runtime *runtime, enum event_marker marker);
void rollback_check_tick(struct runtime *runtime);
/* A batch is durable: before anything of it leaves. */
void rollback_check_kept(struct runtime *runtime, const struct step_batch *batch);
void rollback_check_generation(struct runtime *runtime, const struct effect *effect);

/* ---- scrub.c ---- */

/* Goes on where the last process ended well, or begins anew. */
void scrub_start(struct runtime *runtime);
void scrub_tick(struct runtime *runtime);
/* A read met what does not open: all is looked at soon. */
void scrub_hurry(struct runtime *runtime);
/* What the disk lost is back: it names the one before it, which may be lost, too. */
void scrub_mended(struct runtime *runtime, const struct record_claim *claim);
/* The process ends well. */
void scrub_end(struct runtime *runtime);

/* ---- restore.c ---- */

MUST_USE err restore_all(struct runtime *runtime, char ret_problem[static STORE_PROBLEM_SIZE]);

#endif
