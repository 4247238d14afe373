/* What all modules of the engine stand on: its settings, the time of the step, and the state below
 * replication. What modules above keep for themselves is theirs: here it is a pointer. */
#ifndef CONSILIUM_PROTOCOL_STATE_ENGINE_STATE_H
#define CONSILIUM_PROTOCOL_STATE_ENGINE_STATE_H

#include "protocol/roster/roster_entitled.h"
#include "protocol/state/case_table.h"
#include "protocol/state/clinicians.h"
#include "protocol/state/clock_check.h"
#include "protocol/state/engine_config.h"
#include "protocol/state/equivocation.h"
#include "protocol/state/forgers.h"
#include "protocol/state/peer_progress.h"
#include "protocol/state/peers.h"
#include "protocol/state/streams.h"
#include "protocol/state/writer_quota.h"
#include "protocol/step/notice.h"
#include "protocol/wire/frame.h"

struct engine {
    struct engine_config config;
    struct roster *roster;
    struct mono now;
    struct wall wall;
    struct mono started_at;
    bool is_started;
    bool is_replaying_again;
    uint64_t refused;
    struct notices notices;

    struct streams streams;
    struct writer_quota writer_quota;
    struct equivocations equivocations;
    struct forgers forgers;
    struct clinicians clinicians;
    struct case_table *case_table;

    struct peer peers[LINK_COUNT_MAX];
    struct clock_check clock;
    struct peer_progress marks;
    uint32_t session_last;
    bool is_relay_compared;
    uint32_t compared_count;
    struct node_id
        compared[COMPARED_COUNT]; /* whose head was ours, or one of ours, since the start */
    struct mono alone_since;      /* 0: somebody is connected, or nobody ever was */
    bool releases_keys;           /* in the last step */

    bool is_proven;         /* the store is not an older copy (generation.h) */
    bool is_older;          /* the store is one, as is known since this start (generation.h) */
    bool has_second;        /* another process signs as this node */
    bool is_full;           /* the disk */
    struct mono full_until; /* then the disk is tried again */
    struct mono missing_at; /* when the missing positions are looked through again */
    uint32_t lost_count;    /* slots of our own streams in cases that are not here */

    struct generations *generations;
    struct case_retry *case_retry;
    struct case_paging *case_paging;
    struct mailbox_keys *mailbox_keys;
    struct custody_store *custody_store;
    struct custody_outbox *custody_outbox;
    struct custody_pickup *custody_pickup;
};

#endif
