/* Becoming a member: the request that goes to the society, the invitation that comes back. */
#ifndef CONSILIUM_NODE_ONBOARDING_JOINING_H
#define CONSILIUM_NODE_ONBOARDING_JOINING_H

#include "node/onboarding/identity.h"
#include "node/runtime/runtime.h"
#include "protocol/base/fingerprint.h"
#include "protocol/roster/join.h"

enum { JOINING_PROBLEM_SIZE = STORE_PROBLEM_SIZE };

struct joining_request {
    const char *data;    /* directory of the identity; the request is kept there too */
    const char *name;    /* NULL: that of the newest request, else the identity's */
    const char *country; /* ISO 3166-1 alpha-2 */
    const char *const *endpoints;
    size_t endpoint_count;
    const char *const *boards;
    size_t board_count;
};

/* Whether name, country, endpoints and boards are valid: checked before an identity is made. */
MUST_USE err joining_check(const struct joining_request *request,
                           char ret_problem[static JOINING_PROBLEM_SIZE]);

/* Writes the signed request to `path` and gives the fingerprint to read out on the phone. */
MUST_USE err joining_ask(const struct identity *identity, const struct joining_request *request,
                         const char *path, char ret_fingerprint[static FINGERPRINT_TEXT_SIZE],
                         char ret_problem[static JOINING_PROBLEM_SIZE]);

/* Writes the request that joining_ask kept to `path` once more: the same bytes, the same
 * fingerprint; no key is opened. ERR_NOT_FOUND: none is kept, or it is of another identity. */
MUST_USE err joining_ask_again(const char *data, const char *path,
                               char ret_fingerprint[static FINGERPRINT_TEXT_SIZE],
                               char ret_problem[static JOINING_PROBLEM_SIZE]);

struct joining_accepted {
    struct federation_id federation;
    uint64_t epoch;
    uint32_t member_count;
    char name[256]; /* of the federation */
};

/* What the society's officer must read out: compare it (fingerprint_matches) before accepting. */
MUST_USE err joining_fingerprint(const char *path, struct hash *ret_hash,
                                 char ret_problem[static JOINING_PROBLEM_SIZE]);

/* Takes an invitation, or a newer one, into the store in the directory `data`; the daemon must not
 * run. ERR_UNKNOWN_MEMBER: it invites another institution; else as invitation_accept and
 * store_open. */
MUST_USE err joining_accept(const struct identity *identity, const char *data, const char *path,
                            struct joining_accepted *ret_accepted,
                            char ret_problem[static JOINING_PROBLEM_SIZE]);

#endif
