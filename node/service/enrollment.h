/* How an institution admits, renews and revokes its clinicians (API-6), and how a clinician changes
 * the passphrase. Each calls `on_done` exactly once, before it returns or later. */
#ifndef CONSILIUM_NODE_SERVICE_ENROLLMENT_H
#define CONSILIUM_NODE_SERVICE_ENROLLMENT_H

#include "node/service/service.h"
#include "node/views/refusal.h"

struct enrollment_result {
    const struct refusal *refusal; /* NULL: it was done */
    const struct account *account; /* as it is now */
    const char *waits; /* why its certificate is not published yet (it will be); or NULL */
};

struct enrollment {
    struct service *service;
    uint64_t uid;                  /* of the user who does it */
    bool is_administrator;         /* may that user decide about accounts? */
    struct passphrase_asker asker; /* whose turn the check of a passphrase takes */
    const struct account *account; /* which one; not for enrollment_add */
    void (*on_done)(void *arg, const struct enrollment_result *result);
    void *arg;
};

struct enrollment_applicant {
    const char *login;
    uid_t uid; /* the user who may sign with it */
    struct bytes passphrase;
    const struct certificate_request *request; /* federation and node are filled in */
    uint64_t valid_days;                       /* 0: the usual */
};
/* Makes a key and a certificate, and publishes the certificate. Administrators only. Borrows for
 * the call. */
void enrollment_add(const struct enrollment *enrollment,
                    const struct enrollment_applicant *applicant);

struct enrollment_renewal {
    uint64_t valid_days; /* 0: the usual */
    /* Other specialties need the account's passphrase (C-20); NULL: as before. */
    const struct bytes *specialties;
    size_t specialty_count;
    struct bytes passphrase;
};
/* Another certificate over the same key. Administrators only. What `specialties` borrow from must
 * stay until the result. */
void enrollment_renew(const struct enrollment *enrollment,
                      const struct enrollment_renewal *renewal);

/* Revokes all certificates of the account's key; of `wanted`, reason and note count, and what they
 * borrow must stay until the result. An administrator, or the account's own user. */
void enrollment_revoke(const struct enrollment *enrollment,
                       const struct certificate_revocation *wanted);

/* The account's own user. */
void enrollment_change_passphrase(const struct enrollment *enrollment, struct bytes before,
                                  struct bytes after);

/* Publishes the certificates that an earlier run made and could not publish. */
void enrollment_publish_all(const struct service *service);

#endif
