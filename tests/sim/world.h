/* A simulated federation: hospitals that run the production engine, the lines between them, a
 * society that changes the roster, and one seed from which everything follows.
 *
 *   prng.c       the one source of chance
 *   disk.c       what a hospital has durable
 *   schedule.c   what happens when
 *   hospital.c   one engine with the promises of protocol/step/step.h kept: checks, seals, commits,
 *                crashes; the effects are carried out by tests/harness/interpreter
 *   line.c       direct connections between hospitals: delay, loss, partition
 *   route.c      by which way a hospital reaches another: its line, or a relay (route_tunnel.c)
 *   relay.c      relays that run protocol/relay/relay_engine, and the wires to them
 *   adversary.c  what a hostile relay does with what it carries
 *   society.c    roster heads, and how they reach the hospitals
 *   clinic.c     what clinicians write: real certificates, real signatures
 *   oracle.c     what must never happen, checked at every frame and at the end
 *
 * The same seed gives the same trace hash. A fault prints the line that replays it and ends the
 * program. */
#ifndef CONSILIUM_TESTS_SIM_WORLD_H
#define CONSILIUM_TESTS_SIM_WORLD_H

#include <stdio.h>

#include "protocol/engine/engine.h"
#include "protocol/record/kind.h"
#include "protocol/wire/frame.h"
#include "tests/harness/federation.h"
#include "tests/harness/interpreter.h"
#include "tests/sim/disk.h"
#include "tests/sim/prng.h"
#include "tests/sim/relay.h"
#include "tests/sim/route.h"
#include "tests/sim/schedule.h"

enum {
    WORLD_HOSPITALS_MAX = 34,
    WORLD_HEADS_MAX = 64,
    WORLD_CASES_MAX = 256,
    WORLD_CUTS_MAX = 256,
    WORLD_LINES_MAX = WORLD_HOSPITALS_MAX * WORLD_HOSPITALS_MAX,
};
#define SECOND_MS UINT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

struct post {
    struct post *next;
    struct token token;
    struct scope scope;
    enum audience audience;
    uint8_t body[STATEMENT_PADDED_SIZE_MAX];
    size_t body_size;
    struct wall expires;
    bool is_asked;
};

struct hospital {
    struct world *world;
    uint32_t index;
    const char *name;
    struct node_id node;
    uint8_t sign_secret[64];
    struct sign_key clinician_key;
    uint8_t clinician_secret[64];
    struct cert_id cert_id;
    struct roster roster;
    void *roster_memory;
    void *engine_memory;
    struct engine *engine;
    struct determinism *determinism; /* NULL but in a world that is_twinned */
    struct engine_config config;
    struct disk disk;
    struct disk backup;
    uint64_t pace; /* raised when ticks come by another interval */
    uint32_t boot; /* raised by a crash: what was under way is forgotten */
    bool is_running;
    bool is_away;   /* a story keeps it off: chance does not start it */
    bool is_puppet; /* answers nothing by itself: a story speaks for it */
    bool is_restoring;
    bool is_put_back;  /* its disk is an older one: the marker beside it is from later */
    bool is_unmarked;  /* and there is no marker beside it */
    bool was_put_back; /* at some time: it begins a stream only with who shares it (T-19) */
    bool is_returning; /* it was put back, and others hold more of its own streams */
    int64_t skew_ms;
    uint64_t booted_at;
    uint64_t epoch; /* of the head its roster stands at */
    uint64_t checked_at, kept_at;
    uint64_t ask_at;      /* when posts and what keeps its core busy are tried again; 0: not */
    uint64_t patience_ms; /* how long it waits before that */
    bool has_refused;     /* its disk was full once */
    struct interpreter interpreter;
    struct interpreter_answer *checking, *writing, *keeping; /* answers that take time */
    bool is_turning;
    bool is_closed; /* accepts no connection: it dials others and relays */
    struct transport_key transport_key;
    uint8_t transport_secret[KEY_SIZE];
    struct tunnel_identity identity;
    struct route ways[WORLD_HOSPITALS_MAX];
    struct wire wires[ROUTE_RELAYS_MAX];
    struct post *posts;
    struct case_erasure *case_erasure;
    struct held_mail *held_mail;        /* NULL: it takes no part in custody */
    uint64_t received[WORLD_HEADS_MAX]; /* [epoch - 1]: wall time when it took that head */
    uint64_t sent_frames, wants_sent;
    /* for acceptance.c; what it was told since its start */
    uint64_t
        forked_at[WORLD_HOSPITALS_MAX]; /* its epoch when it found that one equivocated; or 0 */
    struct head_id told_heads[WORLD_HOSPITALS_MAX];
    bool is_relay_told;
};

struct line {
    uint32_t number; /* 0: free */
    uint32_t ends[2];
    bool is_up[2];       /* the end was told so */
    uint64_t last_at[2]; /* the last delivery towards that end */
};

/* What a post became. */
struct outcome {
    err verdict; /* ERR_STATE: not answered */
    struct record_id record;
    uint64_t sequence;
};

struct sim_case {
    struct case_id id;
    uint32_t requester;
};

/* One position that a hospital was told to be durable. */
struct promise {
    uint32_t hospital;
    struct stream_id stream;
    uint64_t sequence;
    struct record_id record;
};

/* How a head lists a hospital. */
struct world_member {
    enum member_state state; /* 0: not at all */
    uint64_t admitted_epoch, state_since, keys_since, board_since;
    bool keys_proved;
};

/* Where a head ends a removed member's stream. */
struct world_cut {
    uint64_t epoch;
    struct stream_id stream;
    uint64_t sequence;
};

struct world {
    const char *story;
    uint64_t seed;
    uint64_t days; /* how many a year has */
    bool is_traced;
    bool is_twinned; /* set before world_begin: every core has a twin */
    struct prng prng;
    uint64_t now;
    uint64_t tick_ms; /* a second; a story that lasts for weeks makes it longer */
    uint64_t trace;   /* hash of all that happened */
    uint64_t event_count;
    uint64_t merged_count; /* checks that were made as one with others */
    struct schedule schedule;
    struct hospital hospitals[WORLD_HOSPITALS_MAX];
    uint32_t count;
    struct relay relays[ROUTE_RELAYS_MAX];
    uint32_t relay_count;             /* set before world_begin */
    struct relay_limits relay_limits; /* as well; zeros: plenty */
    bool has_custody;                 /* as well: nodes keep mail for each other */
    bool allows_custody;              /* the head in force says so */
    bool all_closed;                  /* as well: nobody accepts connections */
    struct tunnels *tunnels;          /* what the oracle remembers of boxes under way */
    struct tunnel_step box_step;
    struct line lines[WORLD_LINES_MAX];
    uint32_t line_last;
    uint64_t dial_pace;
    uint32_t link_last;
    uint8_t side[WORLD_HOSPITALS_MAX]; /* of a partition: different numbers do not talk */
    unsigned drop_percent;             /* a frame that takes its connection down, of 10,000 */
    struct federation society;
    struct {
        uint8_t signed_head[HEAD_SIZE_MAX];
        size_t size;
        uint8_t *items;
        struct delta delta;
        struct head_id id;
        struct world_member members[WORLD_HOSPITALS_MAX];
    } heads[WORLD_HEADS_MAX]; /* [epoch - 1] */
    uint64_t epoch;
    struct world_cut cuts[WORLD_CUTS_MAX];
    uint32_t cut_count;
    struct sim_case cases[WORLD_CASES_MAX];
    uint32_t case_count;
    uint64_t survey_ms;   /* set before world_begin */
    uint32_t cases_awake; /* as well; 0: as usual */
    struct ledger *ledger;
    struct resends *resends;
    struct promise *promises;
    size_t promise_count, promise_capacity;
    struct outcome outcomes[65536]; /* by token */
    uint64_t token_last;
    struct step step;
    /* a story may look at, and swallow, each frame */
    bool (*on_frame)(struct world *world, uint32_t from, uint32_t to, struct bytes frame);
};

/* Ends the program with the line that replays it. */
_Noreturn void world_fail(const struct world *world, const char *what, const char *detail);
#define WORLD_CHECK(world, condition)                                                              \
    do {                                                                                           \
        if (!(condition))                                                                          \
            world_fail(world, #condition, __func__);                                               \
    } while (0)

/* `admitted` hospitals of a founded federation, connected, each with a certified clinician. */
void world_begin(struct world *world, uint32_t admitted);
void world_end(struct world *world);

void world_note(struct world *world, const struct hospital *hospital, const char *what,
                uint64_t detail);
void world_hash(struct world *world, struct bytes bytes);

/* Ticks, dials and boxes go by this interval: a second, or more where nothing happens for long. */
void world_pace(struct world *world, uint64_t tick_ms);
/* Lets time pass. */
void world_run(struct world *world, uint64_t ms);
/* Until it holds; fails with `what` when it does not within `ms`. */
void world_until(struct world *world, bool (*holds)(struct world *world), uint64_t ms,
                 const char *what);

#endif
