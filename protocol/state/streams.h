/* The table of all streams that this node holds, and of the positions missing in them.
 *
 * Each stream has three ends. `tail` is durable; `kept` is how far the positions reach that were
 * handed to the store; `next` adds those that are being checked. When a check fails, `next` falls
 * back to `kept`, when a commit fails, both fall back to `tail`; `speculation` is raised, so that
 * answers to what is forgotten are recognised. Only `kept` is believed: what comes back checked
 * is kept when it goes on from there, whoever else sent what meanwhile. */
#ifndef CONSILIUM_PROTOCOL_STATE_STREAMS_H
#define CONSILIUM_PROTOCOL_STATE_STREAMS_H

#include "protocol/step/step.h"

enum { STREAM_NONE = UINT32_MAX, STREAM_CLAIM_WORDS = LINK_COUNT_MAX / 64 };

enum stream_flags {
    STREAM_FORKED = 1 << 0,   /* its writer equivocated: nothing more is accepted */
    STREAM_ENDED = 1 << 1,    /* ours, of before a restore: we go on in the next generation */
    STREAM_END_TOLD = 1 << 2, /* and that is kept */
};

struct stream {
    struct stream_id id;
    uint64_t tail;
    struct record_id tail_id;
    uint64_t tail_epoch; /* of the roster head named at `tail` */
    uint64_t kept;
    struct record_id kept_id;
    uint64_t kept_epoch; /* of the roster head named at `kept` */
    uint64_t next;
    struct record_id next_id;
    uint64_t next_epoch; /* of the roster head named at `next` */
    uint32_t speculation;
    uint32_t rewound; /* `speculation` since the last rewind */
    uint32_t flags;
    bool is_sealing;
    struct wall opened_at; /* of a later generation: the time of its first record */
    struct record_id
        end_id;       /* where the next generation says that this one ends, if not at the tail */
    uint64_t lost_to; /* ours: how far the marker says it came */

    /* catch-up: somebody says the stream reaches further */
    uint64_t want_to;
    uint64_t claims[STREAM_CLAIM_WORDS]; /* bit n: the peer at place n says so */
    uint64_t late[STREAM_CLAIM_WORDS];   /* it was asked and gave nothing: others go before it */
    uint16_t asked_place;                /* who was asked last; the next one is asked next */
    struct link_id asked;                /* who owes an answer */
    uint64_t asked_from;
    struct mono want_until;   /* an answer is outstanding until then; 0: none */
    struct link_id pending;   /* who sent what lies between `kept` and `next`; 0: several did */
    struct link_id alternate; /* whose other copy of it is being checked */
    struct link_id forger;    /* who last sent what the writer did not sign */
    struct mono forged_until; /* nothing is taken from the forger until then */
    uint32_t behind_next;     /* list of streams with want_to > kept, or an answer outstanding */
    uint32_t behind_previous;
    bool is_behind;

    uint32_t missing_first; /* list of the missing positions, STREAM_NONE at its end */
    uint32_t bucket_next;   /* hash chain */
};

/* A position whose header is accepted, and whose body or key is still missing. */
struct missing {
    uint32_t stream;
    uint32_t next; /* in the stream's list */
    uint64_t sequence;
    struct record_id record;
    bool is_sealed;    /* for the requester alone and not revealed: not asked for, not counted */
    bool is_lost;      /* it was here, and the disk lost it: header and signature, too */
    bool is_repairing; /* a copy of it is being put back */
    struct mono retry_at;
    uint16_t asked; /* place of the peer asked last; the next one is asked next */
    uint8_t tries;  /* since something came up: the more, the longer the wait */
};

struct streams {
    struct stream *all;
    uint32_t count;
    uint32_t count_max;
    uint32_t *buckets;
    uint32_t bucket_mask;
    uint8_t hash_key[16];
    uint32_t behind_first;
    uint32_t behind_last;
    struct missing *missing;
    uint32_t missing_count_max;
    uint32_t missing_free;
    uint32_t missing_count;
};

/* Bytes that streams_init wants; `count_max` is a power of two. */
size_t streams_memory_size(uint32_t count_max, uint32_t missing_count_max);
/* `hash_key` is secret and random, so that no peer can aim at one bucket. */
void streams_init(struct streams *streams, void *memory, uint32_t count_max,
                  uint32_t missing_count_max, const uint8_t hash_key[static 16]);

/* The slot, or STREAM_NONE. */
uint32_t streams_find(const struct streams *streams, const struct stream_id *id);
/* The slot, made when it is new; STREAM_NONE when the table is full. */
uint32_t streams_add(struct streams *streams, const struct stream_id *id);

/* Forgets what is in flight: a commit failed, or the stream was just restored. */
void streams_rewind(struct streams *streams, uint32_t slot);
/* Forgets what is being checked: a check failed. What the store was given stays on its way. */
void streams_fall_back(struct streams *streams, uint32_t slot);
/* All up to here was handed to the store. */
void streams_keep(struct streams *streams, uint32_t slot, uint64_t kept,
                  const struct record_id *kept_id, uint64_t kept_epoch);

/* The peer at `place` says that the stream reaches `to`. */
void streams_want(struct streams *streams, uint32_t slot, uint64_t to, uint16_t place);
/* It does not give it. */
void streams_disclaim(struct streams *streams, uint32_t slot, uint16_t place);
/* It was asked and said nothing: it comes after those who did not yet. */
void streams_be_late(struct streams *streams, uint32_t slot, uint16_t place);
/* Who is to be asked after `place`, those in time before those who are late: each in turn, so that
 * one that claims much and gives little holds up nobody for long. `place` itself when it is the
 * only one; LINK_COUNT_MAX: nobody claims anything. */
uint16_t streams_next_claim(const struct streams *streams, uint32_t slot, uint16_t place);
/* Does anybody say that it reaches further, or said so and gave nothing? */
bool streams_is_spoken_of(const struct streams *streams, uint32_t slot);
/* Takes the stream off the list of those behind once it has caught up and nobody owes an answer. */
void streams_settle(struct streams *streams, uint32_t slot);
/* Puts a stream that is behind at the end of the list, so that others come before it. */
void streams_put_back(struct streams *streams, uint32_t slot);

/* ---- missing positions ---- */

/* False when the table is full: the position is found again at the next start. */
bool streams_missing_add(struct streams *streams, uint32_t slot, uint64_t sequence,
                         const struct record_id *record, bool is_sealed);
/* The disk lost what was here: nothing else is known of it than its name. */
void streams_lose(struct streams *streams, uint32_t slot, uint64_t sequence,
                  const struct record_id *record);
struct missing *streams_missing_find(struct streams *streams, uint32_t slot, uint64_t sequence);
void streams_missing_remove(struct streams *streams, uint32_t slot, uint64_t sequence);

/* The last position up to which header, body and checked key are all durable here. */
uint64_t streams_had(const struct streams *streams, uint32_t slot);

#endif
