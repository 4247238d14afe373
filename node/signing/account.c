#include "node/signing/account.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/os/file.h"
#include "node/os/log.h"
#include "node/os/passphrase.h"

enum { ACCOUNT_VERSION = 1, ACCOUNT_SECRET_SIZE = 64 };

struct account_book {
    char directory[ACCOUNT_PATH_SIZE - 64];
    struct account *first; /* by login */
    size_t count;
    uint64_t serial_last;
};

bool account_login_valid(const char *login)
{
    size_t size = strlen(login);
    if (size < 1 || size > ACCOUNT_LOGIN_SIZE_MAX || login[0] < 'a' || login[0] > 'z')
        return false;
    return strspn(login, "abcdefghijklmnopqrstuvwxyz0123456789._-") == size;
}

/* ---- the book ---- */

static void account_add(struct account_book *book, struct account *account)
{
    struct account **link = &book->first;
    while (*link != NULL && strcmp((*link)->login, account->login) < 0)
        link = &(*link)->next;
    account->next = *link;
    *link = account;
    book->count++;
    if (account->certificate.issue.serial > book->serial_last)
        book->serial_last = account->certificate.issue.serial;
}

static bool account_set_certificate(struct account *account, struct bytes certificate)
{
    if (certificate.size > sizeof account->certificate_bytes)
        return false;
    memcpy(account->certificate_bytes, certificate.data, certificate.size);
    account->certificate_size = certificate.size;
    struct bytes kept = {account->certificate_bytes, certificate.size};
    return certificate_read(kept, &account->certificate) == OK;
}

static bool account_path(const struct account_book *book, const char *login,
                         char ret_path[static ACCOUNT_PATH_SIZE])
{
    int size = snprintf(ret_path, ACCOUNT_PATH_SIZE, "%s/%s.key", book->directory, login);
    return size > 0 && size < ACCOUNT_PATH_SIZE;
}

static bool account_renewal_path(const struct account_book *book, const char *login,
                                 char ret_path[static ACCOUNT_PATH_SIZE])
{
    int size = snprintf(ret_path, ACCOUNT_PATH_SIZE, "%s/%s.certificate", book->directory, login);
    return size > 0 && size < ACCOUNT_PATH_SIZE;
}

/* A renewed certificate takes the place of the first, when it is one of the same key. */
static void account_read_renewal(const struct account_book *book, struct account *account)
{
    char path[ACCOUNT_PATH_SIZE];
    uint8_t *data = NULL;
    size_t size = 0;
    struct certificate renewed;
    if (!account_renewal_path(book, account->login, path) ||
        file_read_private(path, CERTIFICATE_SIZE_MAX, &data, &size) != OK)
        return;
    if (certificate_read((struct bytes){data, size}, &renewed) == OK &&
        ID_EQUAL(renewed.request.clinician_key, account->certificate.request.clinician_key))
        (void)account_set_certificate(account, (struct bytes){data, size});
    else
        log_warn("not-a-certificate", log_text("file", path));
    file_wipe(data, size);
}

/* NULL: not an account of ours. */
static struct account *account_read(const struct account_book *book, const char *login)
{
    struct account *account = calloc(1, sizeof *account);
    struct keyfile keyfile;
    if (account == NULL)
        return NULL;
    snprintf(account->login, sizeof account->login, "%s", login);
    bool is_good = account_path(book, login, account->path) &&
                   keyfile_peek(account->path, &keyfile) == OK &&
                   keyfile.kind == KEYFILE_CLINICIAN && strcmp(keyfile.label, login) == 0;
    if (is_good) {
        struct reader reader = reader_of((struct bytes){keyfile.public_part, keyfile.public_size});
        is_good = reader_u8(&reader) == ACCOUNT_VERSION;
        account->uid = reader_u32(&reader);
        struct bytes certificate = reader_take(&reader, reader_left(&reader));
        is_good = is_good && !reader.failed && account_set_certificate(account, certificate);
    }
    if (is_good) {
        account_read_renewal(book, account);
        return account;
    }
    free(account);
    return NULL;
}

static void account_read_name(struct account_book *book, const char *name)
{
    char login[ACCOUNT_LOGIN_SIZE_MAX + 1];
    size_t size = strlen(name);
    if (size < 5 || size - 4 >= sizeof login || strcmp(name + size - 4, ".key") != 0)
        return;
    memcpy(login, name, size - 4);
    login[size - 4] = 0;
    struct account *account = account_login_valid(login) ? account_read(book, login) : NULL;
    if (account == NULL || book->count == ACCOUNT_COUNT_MAX) {
        log_warn("not-an-account", log_text("file", name), log_text("in", book->directory));
        free(account);
        return;
    }
    account_add(book, account);
}

err account_open(const char *directory, struct account_book **ret_book)
{
    struct account_book *book = calloc(1, sizeof *book);
    if (book == NULL)
        return ERR_NO_MEMORY;
    int size = snprintf(book->directory, sizeof book->directory, "%s", directory);
    err failure =
        size < (int)sizeof book->directory ? file_ensure_directory(directory, 0700) : ERR_TOO_LARGE;
    DIR *listing = failure == OK ? opendir(directory) : NULL;
    if (failure == OK && listing == NULL)
        failure = ERR_IO;
    if (failure != OK) {
        free(book);
        return failure;
    }
    for (const struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        if (entry->d_name[0] != '.')
            account_read_name(book, entry->d_name);
    }
    closedir(listing);
    *ret_book = book;
    return OK;
}

void account_close(struct account_book *book)
{
    while (book != NULL && book->first != NULL) {
        struct account *account = book->first;
        book->first = account->next;
        free(account);
    }
    free(book);
}

const struct account *account_find(const struct account_book *book, const char *login)
{
    struct account *account = book->first;
    while (account != NULL && strcmp(account->login, login) != 0)
        account = account->next;
    return account;
}

const struct account *account_of_certificate(const struct account_book *book,
                                             const struct cert_id *cert_id)
{
    struct account *account = book->first;
    while (account != NULL && !ID_EQUAL(account->certificate.cert_id, *cert_id))
        account = account->next;
    return account;
}

const struct account *account_at(const struct account_book *book, size_t index)
{
    struct account *account = book->first;
    while (account != NULL && index-- > 0)
        account = account->next;
    return account;
}

size_t account_count(const struct account_book *book)
{
    return book->count;
}

/* ---- work on the slow lane ---- */

enum account_task { ACCOUNT_SEAL, ACCOUNT_UNSEAL, ACCOUNT_RESEAL };

struct account_job {
    struct passphrase_check check;
    enum account_task task;
    struct secure_arena *secrets;
    struct account_book *book;
    struct account *account; /* ACCOUNT_SEAL: ours until it is in the book */
    const struct account *used;
    uint8_t *secret;     /* locked */
    uint8_t *passphrase; /* locked */
    size_t passphrase_size;
    uint8_t *new_passphrase; /* locked */
    size_t new_passphrase_size;
    struct keyfile_cost cost;
    struct keyfile keyfile;
    err result;
    void (*on_made)(void *arg, err result, const struct account *account);
    void (*on_opened)(void *arg, err result, const uint8_t *secret);
    void (*on_changed)(void *arg, err result);
    void *arg;
};

static void account_job_free(struct account_job *job)
{
    if (job == NULL)
        return;
    secure_arena_drop(job->secrets, job->secret);
    secure_arena_drop(job->secrets, job->passphrase);
    secure_arena_drop(job->secrets, job->new_passphrase);
    free(job->account);
    free(job);
}

static uint8_t *account_lock(struct secure_arena *secrets, struct bytes text)
{
    uint8_t *piece = text.size == 0 || text.size > PASSPHRASE_SIZE_MAX
                         ? NULL
                         : secure_arena_take(secrets, text.size);
    if (piece != NULL)
        memcpy(piece, text.data, text.size);
    return piece;
}

static struct account_job *account_job_new(const struct account_room *room, enum account_task task,
                                           struct bytes passphrase)
{
    struct account_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return NULL;
    job->task = task;
    job->secrets = room->secrets;
    job->book = room->book;
    job->secret = secure_arena_take(room->secrets, ACCOUNT_SECRET_SIZE);
    job->passphrase = account_lock(room->secrets, passphrase);
    job->passphrase_size = passphrase.size;
    if (job->secret == NULL || job->passphrase == NULL) {
        account_job_free(job);
        return NULL;
    }
    return job;
}

static void account_run(struct passphrase_check *base)
{
    struct account_job *job = (struct account_job *)base;
    struct bytes passphrase = {job->passphrase, job->passphrase_size};
    struct bytes secret = {job->secret, ACCOUNT_SECRET_SIZE};
    struct buffer out = buffer_over(job->secret, ACCOUNT_SECRET_SIZE);
    if (job->task == ACCOUNT_SEAL) {
        job->result =
            keyfile_seal(job->account->path, &job->keyfile, secret, passphrase, job->cost);
        return;
    }
    job->result =
        keyfile_unseal(job->used->path, KEYFILE_CLINICIAN, passphrase, &job->keyfile, &out);
    if (job->result == OK && out.size != ACCOUNT_SECRET_SIZE)
        job->result = ERR_CORRUPT;
    if (job->result == OK && job->task == ACCOUNT_RESEAL) {
        struct bytes later = {job->new_passphrase, job->new_passphrase_size};
        job->result = keyfile_reseal(job->used->path, &job->keyfile, secret, later, job->cost);
    }
}

static void account_done(struct passphrase_check *base, err result)
{
    struct account_job *job = (struct account_job *)base;
    if (result != OK)
        job->result = result;
    const struct account *made = NULL;
    switch (job->task) {
    case ACCOUNT_SEAL:
        if (job->result == OK) {
            account_add(job->book, job->account);
            made = job->account;
            job->account = NULL;
        }
        job->on_made(job->arg, job->result, made);
        break;
    case ACCOUNT_UNSEAL:
        job->on_opened(job->arg, job->result, job->result == OK ? job->secret : NULL);
        break;
    case ACCOUNT_RESEAL:
        job->on_changed(job->arg, job->result);
        break;
    }
    account_job_free(job);
}

static err account_submit(const struct account_room *room, struct account_job *job)
{
    job->check =
        (struct passphrase_check){.asker = room->asker, .run = account_run, .done = account_done};
    err failure = passphrase_checks_submit(room->checks, &job->check);
    if (failure != OK)
        account_job_free(job);
    return failure;
}

/* Everything but the sealing: key pair, request, proof of possession, certificate. */
static err account_prepare(struct account_job *job, const struct account_wish *wish)
{
    uint8_t request_memory[CERTIFICATE_REQUEST_SIZE_MAX], memory[CERTIFICATE_SIZE_MAX];
    struct buffer request = buffer_over(request_memory, sizeof request_memory);
    struct buffer certificate = buffer_over(memory, sizeof memory);
    struct certificate_request wanted = wish->request;
    struct certificate_issue issue = {.serial = job->book->serial_last + 1,
                                      .valid_from = wish->valid_from,
                                      .valid_until = wish->valid_until};
    struct cert_id cert_id;
    if (crypto_sign_keypair(wanted.clinician_key.bytes, job->secret) != 0)
        return ERR_IO;
    err failure = certificate_request_write(&wanted, &request);
    issue.request = buffer_bytes(&request);
    if (failure == OK)
        certificate_prove(issue.request, job->secret, &issue.possession);
    if (failure == OK)
        failure = certificate_write(&issue, wish->institution_secret, &certificate, &cert_id);
    if (failure == OK && !account_set_certificate(job->account, buffer_bytes(&certificate)))
        failure = ERR_MALFORMED;
    if (failure != OK)
        return failure;
    struct buffer public = buffer_over(job->keyfile.public_part, sizeof job->keyfile.public_part);
    buffer_u8(&public, ACCOUNT_VERSION);
    buffer_u32(&public, (uint32_t)wish->uid);
    buffer_put(&public, certificate.data, certificate.size);
    job->keyfile.kind = KEYFILE_CLINICIAN;
    job->keyfile.public_size = public.size;
    snprintf(job->keyfile.label, sizeof job->keyfile.label, "%s", wish->login);
    job->account->uid = wish->uid;
    snprintf(job->account->login, sizeof job->account->login, "%s", wish->login);
    job->book->serial_last++;
    return public.failed ? ERR_TOO_LARGE : OK;
}

err account_renew(struct account_book *book, const char *login,
                  const struct account_renewal *renewal)
{
    char path[ACCOUNT_PATH_SIZE];
    uint8_t memory[CERTIFICATE_SIZE_MAX], request_memory[CERTIFICATE_REQUEST_SIZE_MAX];
    struct buffer certificate = buffer_over(memory, sizeof memory);
    struct buffer request = buffer_over(request_memory, sizeof request_memory);
    struct cert_id cert_id;
    struct account *account = book->first;
    while (account != NULL && strcmp(account->login, login) != 0)
        account = account->next;
    if (account == NULL)
        return ERR_NOT_FOUND;
    struct certificate_issue issue = account->certificate.issue;
    issue.serial = book->serial_last + 1;
    issue.valid_from = renewal->valid_from;
    issue.valid_until = renewal->valid_until;
    err failure = OK;
    if (renewal->request != NULL)
        failure = certificate_request_write(renewal->request, &request);
    if (renewal->request != NULL && failure == OK) {
        issue.request = buffer_bytes(&request);
        certificate_prove(issue.request, renewal->clinician_secret, &issue.possession);
    }
    if (failure == OK)
        failure = certificate_write(&issue, renewal->institution_secret, &certificate, &cert_id);
    if (failure == OK && !account_renewal_path(book, login, path))
        failure = ERR_TOO_LARGE;
    if (failure == OK)
        failure = file_write(path, buffer_bytes(&certificate), 0600);
    if (failure == OK && !account_set_certificate(account, buffer_bytes(&certificate)))
        failure = ERR_MALFORMED;
    if (failure == OK)
        book->serial_last = issue.serial;
    return failure;
}

err account_make(const struct account_room *room, const struct account_wish *wish,
                 void (*on_done)(void *arg, err result, const struct account *account), void *arg)
{
    if (!account_login_valid(wish->login) || wish->passphrase.size < PASSPHRASE_NEW_SIZE_MIN ||
        wish->passphrase.size > PASSPHRASE_SIZE_MAX)
        return ERR_INVALID;
    if (account_find(room->book, wish->login) != NULL)
        return ERR_EXISTS;
    if (room->book->count >= ACCOUNT_COUNT_MAX)
        return ERR_FULL;
    struct account_job *job = account_job_new(room, ACCOUNT_SEAL, wish->passphrase);
    if (job == NULL)
        return ERR_NO_MEMORY;
    job->account = calloc(1, sizeof *job->account);
    job->cost = wish->cost;
    job->on_made = on_done;
    job->arg = arg;
    err failure = job->account == NULL ? ERR_NO_MEMORY : OK;
    if (failure == OK && !account_path(room->book, wish->login, job->account->path))
        failure = ERR_TOO_LARGE;
    if (failure == OK)
        failure = account_prepare(job, wish);
    if (failure != OK) {
        account_job_free(job);
        return failure;
    }
    return account_submit(room, job);
}

err account_unseal(const struct account_room *room, const struct account *account,
                   struct bytes passphrase,
                   void (*on_done)(void *arg, err result, const uint8_t *secret), void *arg)
{
    struct account_job *job = account_job_new(room, ACCOUNT_UNSEAL, passphrase);
    if (job == NULL)
        return passphrase.size == 0 || passphrase.size > PASSPHRASE_SIZE_MAX ? ERR_PASSPHRASE
                                                                             : ERR_NO_MEMORY;
    job->used = account;
    job->on_opened = on_done;
    job->arg = arg;
    return account_submit(room, job);
}

err account_change_passphrase(const struct account_room *room, const struct account_change *change,
                              void (*on_done)(void *arg, err result), void *arg)
{
    if (change->new.size < PASSPHRASE_NEW_SIZE_MIN || change->new.size > PASSPHRASE_SIZE_MAX)
        return ERR_INVALID;
    struct account_job *job = account_job_new(room, ACCOUNT_RESEAL, change->old);
    if (job == NULL)
        return change->old.size == 0 ? ERR_PASSPHRASE : ERR_NO_MEMORY;
    job->used = change->account;
    job->cost = change->cost;
    job->new_passphrase = account_lock(room->secrets, change->new);
    job->new_passphrase_size = change->new.size;
    job->on_changed = on_done;
    job->arg = arg;
    if (job->new_passphrase == NULL) {
        account_job_free(job);
        return ERR_NO_MEMORY;
    }
    return account_submit(room, job);
}
