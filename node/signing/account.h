/* Accounts of this institution's clinicians in one federation: a key sealed under the clinician's
 * own passphrase, and the certificate that the institution issued for it.
 *
 * One key file (node/os/keyfile.h) for each, named LOGIN.key; its public part is
 *   u8 version | u32 uid | certificate
 * and its label the login. A certificate that was renewed lies beside it, LOGIN.certificate. An
 * account is bound to the uid that it was made for. */
#ifndef CONSILIUM_NODE_SIGNING_ACCOUNT_H
#define CONSILIUM_NODE_SIGNING_ACCOUNT_H

#include <sys/types.h>

#include "node/os/keyfile.h"
#include "node/os/secure_arena.h"
#include "node/signing/passphrase_checks.h"
#include "protocol/record/certificate.h"

enum { ACCOUNT_LOGIN_SIZE_MAX = 32, ACCOUNT_COUNT_MAX = 4096, ACCOUNT_PATH_SIZE = 4096 };

struct account {
    struct account *next;
    char login[ACCOUNT_LOGIN_SIZE_MAX + 1];
    char path[ACCOUNT_PATH_SIZE]; /* of the key file */
    uid_t uid;
    size_t certificate_size;
    uint8_t certificate_bytes[CERTIFICATE_SIZE_MAX];
    struct certificate certificate; /* borrows certificate_bytes */
};

/* All accounts of one federation. */
struct account_book;

/* Reads every key file in `directory`, made when missing. Files that are none are skipped and
 * logged. ERR_IO, ERR_NOT_ENTITLED (it belongs to another user), ERR_NO_MEMORY. */
MUST_USE err account_open(const char *directory, struct account_book **ret_book);
/* Accepts NULL. */
void account_close(struct account_book *book);

/* 1 to 32 of a-z, 0-9, '.', '_', '-', a letter first. */
bool account_login_valid(const char *login);

/* NULL when there is none. Accounts live as long as the book. */
const struct account *account_find(const struct account_book *book, const char *login);
const struct account *account_of_certificate(const struct account_book *book,
                                             const struct cert_id *cert_id);
/* In the order of logins; NULL past the end. */
const struct account *account_at(const struct account_book *book, size_t index);
size_t account_count(const struct account_book *book);

/* ---- making one ---- */

struct account_wish {
    const char *login;
    uid_t uid;
    /* who it is; federation and node_id of the institution; clinician_key is filled in */
    struct certificate_request request;
    struct wall valid_from;
    struct wall valid_until;
    struct bytes passphrase;
    const uint8_t *institution_secret; /* 64 bytes, locked; borrowed until on_done */
    struct keyfile_cost cost;
};

/* Everything that making one needs; checks and secrets are borrowed until on_done. */
struct account_room {
    struct account_book *book;
    struct passphrase_checks *checks;
    struct secure_arena *secrets;
    struct passphrase_asker asker; /* who does it */
};

/* Makes a key, the certificate and the key file; the certificate is not published yet. Calls
 * `on_done` once, later, unless this returns other than OK. `account` is NULL on failure.
 *
 *   ERR_INVALID    login or passphrase (under PASSPHRASE_NEW_SIZE_MIN bytes) is not allowed
 *   ERR_EXISTS     there is such an account
 *   ERR_MALFORMED, ERR_TOO_LARGE   a field of the request is not within its limits
 *   ERR_OVER_BUDGET  too many passphrases wait to be checked, of this user or of all
 *   ERR_FULL, ERR_BUSY, ERR_NO_MEMORY, ERR_IO */
MUST_USE err account_make(const struct account_room *room, const struct account_wish *wish,
                          void (*on_done)(void *arg, err result, const struct account *account),
                          void *arg);

struct account_renewal {
    struct wall valid_from;
    struct wall valid_until;
    const uint8_t *institution_secret; /* 64 bytes; for the call */
    /* Both or neither: who it is from now on, with the same key, and that key's 64 secret bytes,
     * which prove it. Without them all is as in the certificate before. For the call. */
    const struct certificate_request *request;
    const uint8_t *clinician_secret;
};
/* Another certificate over the same key; it is not published yet. Where nothing of the request
 * changes, no passphrase is needed: the institution decides. The one before stays valid until
 * its own end.
 *
 *   ERR_NOT_FOUND  there is no such account
 *   ERR_IO, ERR_TOO_LARGE, ERR_MALFORMED; all is as it was */
MUST_USE err account_renew(struct account_book *book, const char *login,
                           const struct account_renewal *renewal);

/* ---- using one ---- */

/* Opens the account's key on the slow lane. `on_done` gets the 64 secret bytes, which are wiped
 * when it returns; NULL on failure (ERR_PASSPHRASE, ERR_NOT_FOUND, ERR_NO_MEMORY, ...; ERR_BUSY:
 * nobody waits for the result any more). Returns ERR_OVER_BUDGET as account_make. */
MUST_USE err account_unseal(const struct account_room *room, const struct account *account,
                            struct bytes passphrase,
                            void (*on_done)(void *arg, err result, const uint8_t *secret),
                            void *arg);

struct account_change {
    const struct account *account;
    struct bytes old;
    struct bytes new;
    struct keyfile_cost cost;
};
/* Seals the key under another passphrase. */
MUST_USE err account_change_passphrase(const struct account_room *room,
                                       const struct account_change *change,
                                       void (*on_done)(void *arg, err result), void *arg);

#endif
