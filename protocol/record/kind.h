/* The kinds of record. For each: the scopes that allow it, who may write it, whether a clinician
 * must sign it, who may read it. Normative text and rules by number: spec/consult.md.
 *
 * A kind that is not listed is stored and forwarded, and never interpreted. So is a listed kind
 * without a content (content_registry_table gives NULL). */
#ifndef CONSILIUM_PROTOCOL_RECORD_KIND_H
#define CONSILIUM_PROTOCOL_RECORD_KIND_H

#include "protocol/base/error.h"
#include "protocol/record/record.h"

enum kind_writer {
    KIND_BY_MEMBER,      /* any member, in its own stream */
    KIND_BY_REQUESTER,   /* the requester of the case alone */
    KIND_BY_PARTICIPANT, /* an institution that the requester granted access, not the requester */
    KIND_BY_EITHER,      /* the requester or a participant */
    KIND_BY_RECIPIENT,   /* mail: a member that an earlier mail asked; any member otherwise */
};

enum kind_signing {
    KIND_BY_NODE,      /* no clinician's signature */
    KIND_MAY_SIGN,     /* signed by a clinician, or unsigned by the node's policy */
    KIND_BY_CLINICIAN, /* without a clinician's signature it is malformed */
};

/* Bit sets of enum scope_kind and enum audience. */
#define KIND_SCOPE(kind) (1u << (kind))
#define KIND_AUDIENCE(audience) (1u << (audience))
#define KIND_IN_FEDERATION KIND_SCOPE(SCOPE_FEDERATION)
#define KIND_IN_BOARD KIND_SCOPE(SCOPE_BOARD)
#define KIND_IN_CASE KIND_SCOPE(SCOPE_CASE)
#define KIND_IN_MAIL KIND_SCOPE(SCOPE_MAIL)
#define KIND_ANYWHERE (KIND_IN_FEDERATION | KIND_IN_BOARD | KIND_IN_CASE | KIND_IN_MAIL)
#define KIND_CLEAR KIND_AUDIENCE(AUDIENCE_CLEAR)
#define KIND_SEALED KIND_AUDIENCE(AUDIENCE_SCOPE)
#define KIND_SEALABLE (KIND_SEALED | KIND_AUDIENCE(AUDIENCE_REQUESTER))

/* name, number, scopes, writer, signing, audiences */
#define KIND_LIST(X)                                                                               \
    X(CERTIFICATE, 0x0101, KIND_IN_FEDERATION, KIND_BY_MEMBER, KIND_BY_NODE, KIND_CLEAR)           \
    X(REVOCATION, 0x0102, KIND_IN_FEDERATION, KIND_BY_MEMBER, KIND_MAY_SIGN, KIND_CLEAR)           \
    X(MAILBOX_KEY, 0x0103, KIND_IN_FEDERATION, KIND_BY_MEMBER, KIND_BY_NODE, KIND_CLEAR)           \
    X(DIRECTORY, 0x0104, KIND_IN_FEDERATION, KIND_BY_MEMBER, KIND_MAY_SIGN, KIND_CLEAR)            \
    X(FEE_SCHEDULE, 0x0105, KIND_IN_FEDERATION, KIND_BY_MEMBER, KIND_MAY_SIGN, KIND_CLEAR)         \
    X(AUDIT_HEAD, 0x0106, KIND_IN_FEDERATION, KIND_BY_MEMBER, KIND_BY_NODE, KIND_CLEAR)            \
    X(FORK_PROOF, 0x0107, KIND_IN_FEDERATION, KIND_BY_MEMBER, KIND_BY_NODE, KIND_CLEAR)            \
    X(KEY_CHANGE, 0x0108, KIND_ANYWHERE, KIND_BY_MEMBER, KIND_BY_NODE, KIND_CLEAR)                 \
    X(ANNOUNCEMENT, 0x0201, KIND_IN_BOARD, KIND_BY_MEMBER, KIND_BY_CLINICIAN, KIND_SEALED)         \
    X(MIRROR, 0x0202, KIND_IN_BOARD | KIND_IN_MAIL, KIND_BY_MEMBER, KIND_BY_NODE, KIND_SEALED)     \
    X(CHECKPOINT, 0x0203, KIND_IN_BOARD | KIND_IN_MAIL, KIND_BY_MEMBER, KIND_BY_NODE, KIND_CLEAR)  \
    X(OPEN, 0x0301, KIND_IN_CASE, KIND_BY_REQUESTER, KIND_BY_CLINICIAN, KIND_SEALED)               \
    X(GRANT, 0x0302, KIND_IN_CASE, KIND_BY_REQUESTER, KIND_MAY_SIGN, KIND_SEALED)                  \
    X(GRANT_END, 0x0303, KIND_IN_CASE, KIND_BY_REQUESTER, KIND_MAY_SIGN, KIND_SEALED)              \
    X(OPINION, 0x0304, KIND_IN_CASE, KIND_BY_PARTICIPANT, KIND_BY_CLINICIAN, KIND_SEALABLE)        \
    X(POST, 0x0305, KIND_IN_CASE, KIND_BY_EITHER, KIND_BY_CLINICIAN, KIND_SEALABLE)                \
    X(ASK, 0x0306, KIND_IN_CASE, KIND_BY_PARTICIPANT, KIND_BY_CLINICIAN, KIND_SEALABLE)            \
    X(SUPPLY, 0x0307, KIND_IN_CASE, KIND_BY_REQUESTER, KIND_BY_CLINICIAN, KIND_SEALED)             \
    X(DECLINE, 0x0308, KIND_IN_CASE, KIND_BY_PARTICIPANT, KIND_BY_CLINICIAN, KIND_SEALABLE)        \
    X(TAKE_IN, 0x0309, KIND_IN_CASE, KIND_BY_REQUESTER, KIND_BY_NODE, KIND_SEALED)                 \
    X(REVEAL, 0x030a, KIND_IN_CASE, KIND_BY_REQUESTER, KIND_MAY_SIGN, KIND_SEALED)                 \
    X(RELEASE, 0x030b, KIND_IN_CASE, KIND_BY_PARTICIPANT, KIND_BY_CLINICIAN, KIND_SEALED)          \
    X(SYNTHESIS, 0x030c, KIND_IN_CASE, KIND_BY_REQUESTER, KIND_BY_CLINICIAN, KIND_SEALED)          \
    X(CLOSE, 0x030d, KIND_IN_CASE, KIND_BY_REQUESTER, KIND_MAY_SIGN, KIND_SEALED)                  \
    X(EXTEND, 0x030e, KIND_IN_CASE, KIND_BY_REQUESTER, KIND_MAY_SIGN, KIND_SEALED)                 \
    X(WITHDRAW, 0x030f, KIND_IN_CASE, KIND_BY_REQUESTER, KIND_MAY_SIGN, KIND_SEALED)               \
    X(OUTCOME, 0x0310, KIND_IN_CASE, KIND_BY_REQUESTER, KIND_BY_CLINICIAN, KIND_SEALED)            \
    X(OPENED, 0x0311, KIND_IN_CASE, KIND_BY_EITHER, KIND_BY_CLINICIAN, KIND_SEALABLE)              \
    X(ERASE, 0x0312, KIND_IN_CASE, KIND_BY_REQUESTER, KIND_MAY_SIGN, KIND_CLEAR)                   \
    X(ERASED, 0x0313, KIND_IN_CASE, KIND_BY_PARTICIPANT, KIND_BY_NODE, KIND_CLEAR)                 \
    X(FLAG, 0x0314, KIND_IN_CASE, KIND_BY_EITHER, KIND_BY_CLINICIAN, KIND_SEALABLE)                \
    X(MANIFEST, 0x0315, KIND_IN_CASE, KIND_BY_REQUESTER, KIND_BY_CLINICIAN, KIND_SEALED)           \
    X(JOIN, 0x0401, KIND_IN_MAIL, KIND_BY_MEMBER, KIND_BY_CLINICIAN, KIND_SEALED)                  \
    X(DIRECTED, 0x0402, KIND_IN_MAIL, KIND_BY_MEMBER, KIND_BY_CLINICIAN, KIND_SEALED)              \
    X(GRANT_NOTICE, 0x0403, KIND_IN_MAIL, KIND_BY_MEMBER, KIND_BY_NODE, KIND_SEALED)               \
    X(MAIL_DECLINE, 0x0404, KIND_IN_MAIL, KIND_BY_RECIPIENT, KIND_BY_CLINICIAN, KIND_SEALED)       \
    X(QUOTE, 0x0405, KIND_IN_MAIL, KIND_BY_RECIPIENT, KIND_BY_CLINICIAN, KIND_SEALED)              \
    X(ALLOCATION, 0x0406, KIND_IN_MAIL, KIND_BY_MEMBER, KIND_BY_CLINICIAN, KIND_SEALED)

#define KIND_ENUM(name, number, scopes, writer, signing, audiences) KIND_##name = (number),
enum kind { KIND_NONE = 0, KIND_LIST(KIND_ENUM) };
#undef KIND_ENUM

struct kind_rule {
    enum kind kind;
    const char *name; /* "OPINION"; static storage */
    unsigned scopes;  /* KIND_SCOPE bits */
    enum kind_writer writer;
    enum kind_signing signing;
    unsigned audiences; /* KIND_AUDIENCE bits */
};

/* All rules in ascending order of kind; static storage. */
const struct kind_rule *kind_rules(size_t *ret_count);

/* The rule of `kind`, static; NULL for a kind that this program does not know. */
const struct kind_rule *kind_rule(uint16_t kind);

/* "OPINION"; "unknown" for an unlisted kind. */
const char *kind_name(uint16_t kind);

/* The kind with that name, or KIND_NONE. */
enum kind kind_of_name(struct bytes name);

/* OK when a body of this kind, signed or not, is allowed in this scope with this audience.
 *
 *   ERR_UNSUPPORTED    an unknown kind: store it, forward it, do not interpret it
 *   ERR_MALFORMED      not allowed: the body is bad, the position stays */
MUST_USE err kind_check(uint16_t kind, enum scope_kind scope, enum audience audience,
                        bool is_signed);

#endif
