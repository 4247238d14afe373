/* One engine with a shell in memory: what is checked, sealed, stored and loaded is answered at
 * once; what is sent is listed, for the test to look at. Asserts by cmocka.
 *
 * The node is hospital 1 of federation.h. The test speaks for all others. */
#ifndef CONSILIUM_TESTS_HARNESS_CLUSTER_H
#define CONSILIUM_TESTS_HARNESS_CLUSTER_H

#include "protocol/engine/engine.h"
#include "protocol/record/statement.h"
#include "protocol/wire/frame.h"
#include "tests/harness/federation.h"
#include "tests/harness/interpreter.h"

enum {
    CLUSTER_KEPT_MAX = 256,
    CLUSTER_SENT_MAX = 2048,
    CLUSTER_CASES_MAX = 64,
    CLUSTER_FORKS_SIZE_MAX = 256 * 61
};

struct cluster_kept {
    struct stream_id stream;
    uint64_t sequence;
    struct step_record record; /* owns its bytes */
};

struct cluster_sent {
    struct link_id link;
    uint8_t *data;
    size_t size;
};

/* The row of a case, as the last EFFECT_REST gave it. */
struct cluster_row {
    struct case_id case_id;
    uint8_t *data;
    size_t size;
};

struct cluster {
    struct federation society;
    struct roster roster; /* the node's own */
    void *roster_memory;
    void *engine_memory;
    struct engine *engine;
    struct step step;
    struct interpreter interpreter;
    uint64_t now_ms;
    int64_t ahead_ms; /* how far the node's clock is ahead */
    struct cluster_kept kept[CLUSTER_KEPT_MAX];
    size_t kept_count;
    struct cluster_sent sent[CLUSTER_SENT_MAX];
    size_t sent_count;
    err done; /* of the last post */
    struct record_id done_record;
    unsigned forked_count; /* EFFECT_FORKED */
    unsigned destroyed_count;
    unsigned loaded_count;                 /* EFFECT_LOAD */
    uint8_t forks[CLUSTER_FORKS_SIZE_MAX]; /* the last EFFECT_FORKS */
    size_t forks_size;
    struct cluster_row rows[CLUSTER_CASES_MAX];
    size_t row_count;
    unsigned woken_count;                    /* EFFECT_WAKE */
    unsigned rested_count;                   /* EFFECT_REST */
    bool is_slow;                            /* rows are not answered: the test does */
    uint32_t case_count_max, case_awake_max; /* of the next core */
    uint64_t case_idle_ms;
    bool is_full;             /* what is to be kept is refused, unless it releases */
    bool is_packed;           /* then too */
    unsigned releasing_count; /* what is to be kept and releases */
    err seal;                 /* what comes of the next seal */
    uint8_t sealed_count;     /* so many keys were drawn */
    uint8_t sign_secret[64];
};

/* Makes an event of this kind at the node's present time. */
struct event cluster_event(const struct cluster *cluster, enum event_kind kind);

/* ---- the shell ---- */

/* Finds a stored record by its stream and sequence; NULL when it is not stored. */
struct cluster_kept *cluster_find(struct cluster *cluster, const struct stream_id *stream,
                                  uint64_t sequence);

/* Carries out one effect, for a test that stands between the engine and its shell. */
void cluster_perform(struct cluster *cluster, const struct effect *effect);

/* Gives the engine an event, and all events that follow from it. */
void cluster_give(struct cluster *cluster, const struct event *event);

/* Lets so much time pass, in one tick. */
void cluster_pass(struct cluster *cluster, uint64_t ms);

/* ---- life ---- */

/* Makes the engine anew and empty; the store stays. cluster_restart restores it too. */
void cluster_engine(struct cluster *cluster);

/* The society puts the head that it drafted in force, and the node takes it. */
void cluster_head(struct cluster *cluster);

/* Restarts the node with what it stored, as node/runtime/restore.c does. */
void cluster_restart(struct cluster *cluster);

/* Makes a federation of `count` hospitals, whose cooling-off is over, and node 1 of it. */
struct cluster *cluster_new(uint32_t count);

/* Empties the list of sent frames. */
void cluster_forget_sent(struct cluster *cluster);

/* Releases the cluster. */
void cluster_free(struct cluster *cluster);

/* The node writes a record; gives the verdict. */
err cluster_post(struct cluster *cluster, struct scope scope, enum audience audience,
                 struct bytes plaintext);

/* ---- others ---- */

/* Gives the node a frame that comes by this link. */
void cluster_hear(struct cluster *cluster, uint32_t link, struct bytes frame);

/* Hospital `number` greets on the link of its number, at our last head, with a clock that is ahead
 * by so much. */
void cluster_greet(struct cluster *cluster, uint32_t number, int64_t ahead_ms);

/* Hospital `number` connects and greets, and its clock is right. */
void cluster_meet(struct cluster *cluster, uint32_t number);

/* A writer's stream, as the test goes on with it. */
struct cluster_pen {
    uint32_t number;
    struct record_header header;
    uint8_t key_number; /* of federation_key: 2, until the institution changes it */
};

/* Begins the first generation of a stream that hospital `number` writes. */
struct cluster_pen cluster_pen(struct cluster *cluster, uint32_t number, struct scope scope,
                               enum audience audience);

/* Writes the next record of the stream into a frame of its own. */
struct bytes cluster_write_frame(struct cluster_pen *pen, struct bytes plaintext,
                                 struct buffer *frame);

/* The hospital writes a record, which comes by link `link` in a frame of its own. */
void cluster_say(struct cluster *cluster, struct cluster_pen *pen, struct bytes plaintext,
                 uint32_t link);

/* Gives the last sequence that the node holds of this stream. */
uint64_t cluster_tail(struct cluster *cluster, const struct cluster_pen *pen);

/* Makes a statement of an unknown kind: stored, and nothing else. Static memory. */
struct bytes cluster_words(uint8_t what);

#endif
