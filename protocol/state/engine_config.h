/* What an engine is made with: who it is, and how much it may hold. */
#ifndef CONSILIUM_PROTOCOL_STATE_ENGINE_CONFIG_H
#define CONSILIUM_PROTOCOL_STATE_ENGINE_CONFIG_H

#include "protocol/base/ids.h"
#include "protocol/base/limits.h"

struct roster;

struct engine_config {
    struct federation_id federation;
    struct node_id self;
    struct roster *roster;     /* borrowed: the runtime applies heads to it between steps */
    uint8_t hash_key[16];      /* random, secret */
    uint32_t stream_count_max; /* a power of two */
    uint32_t missing_count_max;
    uint32_t mark_count_max; /* a power of two: peers in sync x our own live streams, twice */
    uint32_t case_count_max;
    uint32_t case_awake_max;      /* of them in memory as a whole; the rest in the store */
    uint64_t case_idle_ms;        /* nothing came for so long: it goes to rest */
    uint32_t clinician_count_max; /* a power of two */
    uint32_t writer_count_max;    /* a power of two, twice the members that there may be */
    uint32_t held_count_max;      /* envelopes of others; 0: this node takes no part in custody */
    uint32_t deposit_count_max;   /* our own that lie with others */
    uint32_t reach_count_max; /* a power of two: our own mail and case streams x who reads them */
    uint8_t deposit_secret[KEY_SIZE]; /* the same after each start */
    bool grants_by_hand;              /* false: a join is granted by policy at once */
    uint64_t survey_ms; /* after the start nothing is written for so long, nor until those who are
                         * connected by then have told where our streams stand, nor, without a
                         * marker, until somebody has; 0: no wait */
};

#endif
