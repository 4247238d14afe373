/* All limits. A number that bounds what a remote machine can make this node do is here and in
 * spec/limits.md, and nowhere else. Sizes are bytes. */
#ifndef CONSILIUM_PROTOCOL_BASE_LIMITS_H
#define CONSILIUM_PROTOCOL_BASE_LIMITS_H

enum limits {
    /* wire */
    FRAME_SIZE_MAX = 65000, /* CURVE drops messages over 65,503; a relay adds 96 bytes */
    RELAY_WRAP_SIZE = 96,
    RECORD_SIZE_MAX = 61440, /* header, signature and body */
    CHUNK_SIZE_MAX = 60 * 1024,
    RUN_COUNT_MAX = 64, /* positions covered by one signature */
    PACK_DEPTH_MAX = 8,
    PACK_NODES_MAX = 8192,

    /* roster */
    OFFICER_COUNT_MAX = 16,
    MEMBER_COUNT_MAX = 8192,
    MEMBER_NAME_SIZE_MAX = 200,
    ENDPOINT_SIZE_MAX = 120,
    ENDPOINT_COUNT_MAX = 4,
    BOARD_COUNT_MAX = 64,        /* in a federation */
    MEMBER_BOARD_COUNT_MAX = 32, /* served by one member */
    TAG_SIZE_MAX = 64,
    RELAY_COUNT_MAX = 16,
    PUBLISHER_COUNT_MAX = 16,
    HEAD_SIZE_MAX = 4096,
    SETTINGS_SIZE_MAX = 16384,
    CUT_COUNT_MAX = 65536,
    MEMBER_SIZE_MAX = 4096,      /* one packed entry */
    HEAD_COUNT_MAX = 16384,      /* heads since the founding one */
    OFFICER_SET_COUNT_MAX = 128, /* different sets of officers since then */
    DELTA_PART_SIZE_MAX = 48 * 1024,
    DELTA_SIZE_MAX = 16 * 1024 * 1024, /* a snapshot of the largest roster */
    INVITATION_SIZE_MAX = 96 * 1024 * 1024,
    JOIN_REQUEST_SIZE_MAX = 8192,
    SETTINGS_NAME_SIZE_MAX = 80, /* the name of the federation, a board, a relay */

    /* case */
    QUESTION_SIZE_MAX = 2000,
    DESCRIPTION_SIZE_MAX = 32768,
    OPINION_TEXT_SIZE_MAX = 24576,
    POST_SIZE_MAX = 8192,
    PARTICIPANT_COUNT_MAX = 64,
    ITEM_COUNT_MAX = 64,
    ITEM_NAME_SIZE_MAX = 120,
    ATTACHMENT_SIZE_MAX = 64 * 1024 * 1024,
    ATTACHMENT_PIXEL_COUNT_MAX = 1 << 28, /* of the decompressed image */
    ITEM_CHUNK_COUNT_MAX = 1 << 24,
    ITEM_PROOF_COUNT_MAX = 24, /* the depth of a tree over ITEM_CHUNK_COUNT_MAX chunks */
    LANGUAGE_SIZE_MAX = 35,    /* a BCP 47 tag */
    CLINICIAN_NAME_SIZE_MAX = 200,
    CREDENTIALS_SIZE_MAX = 200,
    LICENCE_SIZE_MAX = 80,
    SPECIALTY_COUNT_MAX = 16, /* of one clinician */
    NOTE_SIZE_MAX = 2000,     /* a comment on a decision */
    FEE_LINK_SIZE_MAX = 300,
    MEDIA_TYPE_SIZE_MAX = 80,
    FINDING_SIZE_MAX = 2000, /* a diagnosis or a treatment, as text */
    ALTERNATIVE_COUNT_MAX = 8,
    REFERENCE_COUNT_MAX = 16, /* references; trials have the same limit */
    REFERENCE_SIZE_MAX = 400,
    ASK_COUNT_MAX = 16, /* requests in one record */
    ASK_SIZE_MAX = 500,
    NAMED_COUNT_MAX = 64,      /* records that one TAKE_IN, REVEAL or receipt names */
    TAKEN_IN_COUNT_MAX = 1024, /* records of other writers that one case takes in */
    RELEASED_COUNT_MAX = 2,    /* released opinions of one author in a case */
    OUTCOME_DAY_MAX = 3650,
    OPINION_FILE_SIZE_MAX = 72 * 1024 * 1024, /* HEAD_COUNT_MAX of the largest heads, and more */

    CASE_COUNT_MAX = 65536, /* cases in which a node takes part */
    CASE_AWAKE_MAX = 1024,  /* of them complete in memory */
    CLINICIAN_PLACE_COUNT =
        16384,                 /* three quarters of the places may be used: certificates in all */
    CLINICIAN_SHARE_PART = 16, /* one institution's certificates: a sixteenth of the places */
    WRITER_FIRST_KIB = 2 * 1024 * 1024, /* the share of one writer in a node's storage, */
    WRITER_DAY_KIB = 64 * 1024, /* which grows by this each day after the writer's admission */
    WRITER_PLACE_COUNT = 2 * MEMBER_COUNT_MAX,
    FORGERY_COUNT_MAX = 8,              /* forged signatures for which a member's link is cut */
    FORGER_COUNT_MAX = 64,              /* members that forged, remembered at once */
    FORGER_CHECK_COUNT = 16,            /* signature checks for one of them at once, */
    FORGER_CHECK_MS = 1000,             /* and one more after each so long */
    FORGER_WATCHED_MS = 60 * 60 * 1000, /* until so long after its last forgery */
    FORGER_REFUSED_MS = 60 * 1000,      /* its link, the first time; then twice as long, */
    FORGER_REFUSED_MS_MAX = 24 * 60 * 60 * 1000, /* up to a day */
    GENERATION_COUNT_MAX = 512,                  /* of one writer in one scope, in all */

    /* links */
    LINK_COUNT_MAX = 256,
    HANDSHAKE_COUNT_MAX = 1024,    /* connections to one listener that have not said hello, */
    HANDSHAKE_EACH_COUNT_MAX = 64, /* of one source: an IPv4 address, an IPv6 /64 */
    HANDSHAKE_KEPT_EACH_COUNT = 8, /* of one that is known, never cut for another's */
    HANDSHAKE_KNOWN_COUNT = 8192,  /* sources that are known */
    HANDSHAKE_KNOWN_S = 86400,     /* since a member was there */

    /* custody: mail that custodians hold for offline members */
    CUSTODIAN_COUNT = 3,       /* custodians that get a copy */
    CUSTODIAN_ASKED_COUNT = 8, /* custodians that the recipient asks */
    ENVELOPE_SIZE_MAX = 61440 + 160,
    CUSTODY_COUNT_MAX = 8192, /* envelopes that a node holds for other members */
    CUSTODY_SIZE_MAX = 128 * 1024 * 1024,
    CUSTODY_EACH_COUNT_MAX = 512, /* from one depositor */
    CUSTODY_EACH_SIZE_MAX = 4 * 1024 * 1024,
    CUSTODY_PAIR_COUNT_MAX = 128, /* from one depositor to one recipient */
    CUSTODY_PAIR_SIZE_MAX = 2 * 1024 * 1024,
    CUSTODY_DAY_MAX = 30,           /* how long an envelope is held */
    MAILBOX_REPLACE_DAY = 90,       /* the greatest age of a mailbox key */
    MAILBOX_KEEP_DAY = 60,          /* how long a replaced secret is kept */
    CUSTODY_REPORT_COUNT_MAX = 256, /* streams that one report lists */
};

_Static_assert(FRAME_SIZE_MAX + RELAY_WRAP_SIZE <= 65503, "a relayed frame must fit CURVE");
_Static_assert(1 << ITEM_PROOF_COUNT_MAX == ITEM_CHUNK_COUNT_MAX, "a proof spans the tree");
_Static_assert(CHUNK_SIZE_MAX + 32 * ITEM_PROOF_COUNT_MAX + 256 <= FRAME_SIZE_MAX,
               "a chunk must fit a frame together with its proof");
_Static_assert(RECORD_SIZE_MAX + 64 <= FRAME_SIZE_MAX, "a record must fit a frame");
_Static_assert(ENVELOPE_SIZE_MAX + 64 <= FRAME_SIZE_MAX, "an envelope must fit a frame");

#define CLOCK_SKEW_MS_MAX ((uint64_t)10 * 60 * 1000)

#endif
