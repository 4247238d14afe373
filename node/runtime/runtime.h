/* What everything of one federation stands on: its engine, roster and store, the queue of what
 * happened, and what is on its way to the store and to the links.
 *
 * Modules call the functions here and never each other's loop: what they have to say to the engine
 * is an event in the queue, and so is a result that they wait for. The driver
 * (node/driver/driver.h) takes the queue's entries one at a time, and carries out what the engine
 * decides. Everything runs on the main loop; nothing blocks but short reads of the store. */
#ifndef CONSILIUM_NODE_RUNTIME_RUNTIME_H
#define CONSILIUM_NODE_RUNTIME_RUNTIME_H

#include <uv.h>

#include "node/os/secure_arena.h"
#include "node/os/wakeup.h"
#include "node/os/workers.h"
#include "protocol/engine/engine.h"
#include "store/store.h"

struct runtime;

/* Borrowed until driver_close, but for what is said to be copied. */
struct runtime_config {
    const char *name; /* of the federation, as in the configuration file; copied */
    const char *data; /* directory of this federation's store; copied */
    struct federation_id federation;
    struct node_id self;
    const uint8_t *sign_secret; /* 64 bytes, in locked memory */
    const uint8_t *store_key;   /* 32 bytes, in locked memory */
    uv_loop_t *loop;
    struct workers *workers;
    bool grants_by_hand;
    uint64_t quota;
    uint64_t survey_ms;     /* as engine_config */
    const char *marker;     /* a file outside of backups (rollback_guard.h); NULL: none; copied */
    const char *recordings; /* a directory for one (recording.h); NULL: none; for the call */
};

/* Read only, and only on the loop. */
const struct engine *runtime_engine(const struct runtime *runtime);
const struct roster *runtime_roster(const struct runtime *runtime);
struct store *runtime_store(struct runtime *runtime);
/* Its texts are the runtime's own. */
const struct runtime_config *runtime_settings(const struct runtime *runtime);
const char *runtime_name(const struct runtime *runtime); /* of the federation */
/* RUNTIME_PAGE_SIZE bytes for short reads, until the next read. */
uint8_t *runtime_page(struct runtime *runtime);
enum { RUNTIME_PAGE_SIZE = 2 * STORE_RECORD_SIZE_MAX };
bool runtime_is_closing(const struct runtime *runtime);

/* ---- writing a record ---- */

struct runtime_post {
    struct scope scope;
    enum audience audience;
    struct bytes plaintext; /* statement_write's; copied */
    struct wall expires;    /* 0: never */
};

/* What became of it: OK means durable here. */
struct runtime_done {
    err verdict;
    struct record_id record;
    uint64_t sequence;
};

/* Calls `on_done` exactly once, later or at once. Posts wait their turn (a stream takes one at a
 * time); ERR_BUSY comes when more than 256 wait, or after a minute, or when the runtime closes.
 * Other verdicts as publish_post. */
void runtime_post(struct runtime *runtime, const struct runtime_post *post,
                  void (*on_done)(void *arg, const struct runtime_done *done), void *arg);

/* ---- other writes: rows, audit entries ---- */

struct runtime_keep {
    const struct store_op *ops; /* with all they point at: copied */
    size_t op_count;
    enum store_urgency urgency;
    void (*on_done)(void *arg, err result); /* NULL: nobody waits */
    void *arg;
};
/* Calls `on_done` exactly once, later: OK means durable; else nothing of the batch was done. What
 * the store has no room to queue is written before this returns, so ERR_BUSY comes only when the
 * runtime closes. */
void runtime_keep(struct runtime *runtime, const struct runtime_keep *keep);

/* A token for item_file_create and item_file_write, whose result then comes to `on_done`. When the
 * call itself failed, nothing comes: give the token back with runtime_forget. */
uint64_t runtime_await(struct runtime *runtime, void (*on_done)(void *arg, err result), void *arg);
void runtime_forget(struct runtime *runtime, uint64_t token);

/* The federation's audit log (audit.h) and roster synchronisation (roster_sync.h): made and
 * attached by the driver, for those who are handed a runtime. The runtime itself calls neither. */
struct audit;
struct roster_sync;
struct runtime_attached {
    struct audit *audit;
    struct roster_sync *roster_sync;
};
void runtime_attach(struct runtime *runtime, const struct runtime_attached *attached);
struct audit *runtime_audit(struct runtime *runtime);
struct roster_sync *runtime_roster_sync(struct runtime *runtime);

/* Up to which sequence `peer` reported our own `stream` durable; 0 when nothing was heard. */
uint64_t runtime_acked(struct runtime *runtime, const struct node_id *peer,
                       const struct stream_id *stream);

/* A case as this node knows it, awake or at rest; NULL when it does not. Borrowed until the next
 * step, or the fourth call after this one for another case. */
const struct consult *runtime_case(struct runtime *runtime, const struct case_id *case_id);

/* ---- links ---- */

/* How frames leave. `send` answers ERR_BUSY when the link's queue is full; the runtime then keeps
 * the frame and sends it after runtime_link_drained. */
struct runtime_links {
    err (*send)(void *arg, struct link_id link, struct bytes frame);
    void (*hang_up)(void *arg, struct link_id link);
    void (*roster_changed)(void *arg); /* whom to dial and to admit may have changed */
    void *arg;
};
void runtime_attach_links(struct runtime *runtime, const struct runtime_links *links);
void runtime_link_drained(struct runtime *runtime, struct link_id link);
/* The link is gone, and what waited for it. */
void runtime_link_forget(struct runtime *runtime, struct link_id link);

/* All relays (without relays, all members that are dialed) refuse this node's key, and no one is
 * connected: the links tell so. */
void runtime_set_refused(struct runtime *runtime, bool is_refused);
bool runtime_is_refused(const struct runtime *runtime);

/* FRAME_ITEM_* frames go to items.h, which answers by runtime_send_frame. */
struct runtime_items {
    void (*on_frame)(void *arg, struct link_id link, struct bytes frame);
    void *arg;
};
void runtime_attach_items(struct runtime *runtime, const struct runtime_items *items);
void runtime_send_frame(struct runtime *runtime, struct link_id link, struct bytes frame);
/* Bytes that wait for a link because it takes no more now. Over 16 MiB it is hung up. */
size_t runtime_unsent(const struct runtime *runtime, struct link_id link);

/* ---- news ---- */

/* One durable record, by id; `kind` is 0 when its body is not readable here. Several listeners. */
struct runtime_news {
    struct scope scope;
    struct record_id record;
    struct node_id writer;
    uint16_t kind;
};
void runtime_listen(struct runtime *runtime,
                    void (*on_news)(void *arg, const struct runtime_news *news), void *arg);
/* No more news to the listener with this `arg`. */
void runtime_unlisten(struct runtime *runtime, const void *arg);

/* The roster took a head (from a link, an invitation file, or a publisher): tells the engine, and
 * then the links. */
void runtime_roster_changed(struct runtime *runtime);

/* Whose store it is: a hash over federation and node_id. */
struct hash runtime_owner(const struct federation_id *federation, const struct node_id *self);

/* The clocks that the engine is told. */
struct wall runtime_wall(void);
struct mono runtime_mono(void);

/* ---- for modules that the driver stands on ---- */

/* An event with the clocks set. */
struct event runtime_event(enum event_kind kind);
/* Puts an event into the queue; its clocks are set again when it is taken out. What it points at
 * lives until then. */
void runtime_enqueue(struct runtime *runtime, const struct event *event);
/* Gives the engine an event at once, and only that: at the start, while nothing is driven. What it
 * leaves is in the step that is returned, until the next one. */
struct step *runtime_step(struct runtime *runtime, const struct event *event);
/* The roster, to change it; runtime_roster_changed follows. */
struct roster *runtime_roster_change(struct runtime *runtime);
/* A case was erased: deletes the recordings (recording_forget). */
void runtime_forget_recordings(struct runtime *runtime);

/* ---- for the driver ---- */

/* Opens the store and makes the engine, with nothing in it yet. `wake` is initialised; it is sent
 * when something is in the queue or became durable. `ret_problem` gets one line that says what to
 * do when it fails. Errors as store_open, and ERR_NO_MEMORY. */
MUST_USE err runtime_open(const struct runtime_config *config, struct wakeup *wake,
                          char ret_problem[static STORE_PROBLEM_SIZE],
                          struct runtime **ret_runtime);
/* No links, no news, no new posts any more. */
void runtime_stop(struct runtime *runtime);
/* Closes the store; `wake` is not sent any more. */
void runtime_close_store(struct runtime *runtime);
/* Answers ERR_BUSY to all who still wait. Accepts NULL. */
void runtime_free(struct runtime *runtime);

/* While the loop is at work, nobody sends `wake`. */
void runtime_set_driven(struct runtime *runtime, bool is_driven);
void runtime_wake(struct runtime *runtime);
struct event_queue;
struct post_queue;
struct completions;
struct event_queue *runtime_events(struct runtime *runtime);
struct post_queue *runtime_posts(struct runtime *runtime);
struct completions *runtime_completions(struct runtime *runtime);
void runtime_hang_up(struct runtime *runtime, struct link_id link);
void runtime_links_refresh(struct runtime *runtime); /* whom to dial may have changed */
void runtime_items_frame(struct runtime *runtime, struct link_id link, struct bytes frame);
void runtime_tell(struct runtime *runtime, const struct runtime_news *news);

#endif
