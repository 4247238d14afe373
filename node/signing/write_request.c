#include "node/signing/write_request.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/audit/audit.h"
#include "protocol/record/statement.h"

struct write_request_entry {
    struct write_request_record record; /* its content is ours */
    uint8_t *content;
    uint8_t *plaintext;
    size_t plaintext_size;
};

struct write_request {
    struct runtime *runtime;
    struct write_request_entry entries[WRITE_REQUEST_COUNT_MAX];
    size_t count;
    size_t posted_count;
    struct runtime_done posted[WRITE_REQUEST_COUNT_MAX];
    struct case_id confirmed_case;
    struct hash confirmed; /* the preview; zeros: nothing was confirmed */
    char confirmed_note[AUDIT_NOTE_SIZE_MAX];
    uint64_t audit_number; /* of the entry about it */
    struct cert_id clinician;
    char login[ACCOUNT_LOGIN_SIZE_MAX + 1];
    uint64_t uid; /* plus 1; 0: the node */
    struct wall time;
    void (*on_done)(void *arg, const struct write_request_done *done);
    void *arg;
};

struct write_request *write_request_new(struct runtime *runtime)
{
    struct write_request *request = calloc(1, sizeof *request);
    if (request != NULL)
        request->runtime = runtime;
    return request;
}

static void write_request_wipe(uint8_t *bytes, size_t size)
{
    if (bytes != NULL)
        sodium_memzero(bytes, size);
    free(bytes);
}

void write_request_free(struct write_request *request)
{
    if (request == NULL)
        return;
    for (size_t i = 0; i < request->count; i++) {
        struct write_request_entry *entry = &request->entries[i];
        write_request_wipe(entry->content, entry->record.content.size);
        write_request_wipe(entry->plaintext, entry->plaintext_size);
    }
    free(request);
}

err write_request_add(struct write_request *request, const struct write_request_record *record)
{
    if (request->count == WRITE_REQUEST_COUNT_MAX)
        return ERR_FULL;
    uint8_t *content = malloc(record->content.size + 1);
    if (content == NULL)
        return ERR_NO_MEMORY;
    if (record->content.size > 0)
        memcpy(content, record->content.data, record->content.size);
    struct write_request_entry *entry = &request->entries[request->count++];
    entry->record = *record;
    entry->record.content.data = content;
    entry->content = content;
    return OK;
}

void write_request_confirm(struct write_request *request, const struct case_id *case_id,
                           const struct hash *preview, const char *note)
{
    snprintf(request->confirmed_note, sizeof request->confirmed_note, "%s", note);
    request->confirmed_case = *case_id;
    request->confirmed = *preview;
}

uint16_t write_request_kind(const struct write_request *request)
{
    return request->count == 0 ? KIND_NONE : request->entries[0].record.kind;
}

static void write_request_finish(struct write_request *request, err verdict)
{
    struct write_request_done done = {.verdict = verdict,
                                      .posted_count = request->posted_count,
                                      .posted = request->posted,
                                      .time = request->time};
    if (request->on_done != NULL)
        request->on_done(request->arg, &done);
    write_request_free(request);
}

/* ---- posting ---- */

static void write_request_post_next(struct write_request *request);

static void write_request_note(struct write_request *request,
                               const struct write_request_record *record,
                               const struct record_id *id)
{
    struct audit *audit = runtime_audit(request->runtime);
    struct audit_fact fact = {.what = AUDIT_POSTED,
                              .login = bytes_of_text(request->login),
                              .clinician = request->clinician,
                              .uid = request->uid,
                              .case_id = record->case_id,
                              .record = *id,
                              .kind = record->kind};
    if (audit != NULL && request->uid != 0)
        audit_note(audit, &fact);
}

static void write_request_on_posted(void *arg, const struct runtime_done *done)
{
    struct write_request *request = arg;
    if (done->verdict != OK) {
        write_request_finish(request, done->verdict);
        return;
    }
    write_request_note(request, &request->entries[request->posted_count].record, &done->record);
    request->posted[request->posted_count++] = *done;
    write_request_post_next(request);
}

static void write_request_post_next(struct write_request *request)
{
    if (request->posted_count == request->count) {
        write_request_finish(request, OK);
        return;
    }
    const struct write_request_entry *entry = &request->entries[request->posted_count];
    struct runtime_post post = {.scope = entry->record.scope,
                                .audience = entry->record.audience,
                                .plaintext = {entry->plaintext, entry->plaintext_size},
                                .expires = entry->record.expires};
    runtime_post(request->runtime, &post, write_request_on_posted, request);
}

/* ---- signing ---- */

/* `secret` NULL: the node speaks, no clinician. */
static err write_request_write(struct write_request *request, struct write_request_entry *entry,
                               const uint8_t *secret)
{
    const struct runtime_config *settings = runtime_settings(request->runtime);
    struct statement statement = {.kind = entry->record.kind, .content = entry->record.content};
    if (secret != NULL) {
        struct statement_place place = {settings->federation, entry->record.scope, settings->self};
        struct statement_author author = {.cert_id = request->clinician, .time = request->time};
        statement_sign(&statement, &place, &author, secret);
    }
    err failure = kind_check(statement.kind, entry->record.scope.kind, entry->record.audience,
                             statement.is_signed);
    entry->plaintext = malloc(RECORD_PLAINTEXT_SIZE_MAX);
    if (failure == OK && entry->plaintext == NULL)
        failure = ERR_NO_MEMORY;
    struct buffer body = buffer_over(entry->plaintext, RECORD_PLAINTEXT_SIZE_MAX);
    if (failure == OK)
        failure = statement_write(&statement, &body);
    entry->plaintext_size = body.size;
    return failure;
}

static err write_request_write_all(struct write_request *request, const uint8_t *secret)
{
    err failure = OK;
    request->time = runtime_wall();
    for (size_t i = 0; failure == OK && i < request->count; i++)
        failure = write_request_write(request, &request->entries[i], secret);
    return failure;
}

static void write_request_on_confirmed(void *arg, err result)
{
    struct write_request *request = arg;
    audit_settle(runtime_audit(request->runtime), request->audit_number, result);
    if (result != OK)
        write_request_finish(request, result);
    else
        write_request_post_next(request);
}

/* The entry names the clinician: it is written once the key was opened, and nothing is posted
 * before it is durable. */
static void write_request_note_confirmed(struct write_request *request)
{
    struct store_op op;
    struct audit_fact fact = {.what = AUDIT_CONFIRMED,
                              .login = bytes_of_text(request->login),
                              .clinician = request->clinician,
                              .uid = request->uid,
                              .case_id = request->confirmed_case};
    memcpy(fact.record.bytes, request->confirmed.bytes, HASH_SIZE);
    fact.note = bytes_of_text(request->confirmed_note[0] != '\0'
                                  ? request->confirmed_note
                                  : "the record named here is the preview's hash");
    audit_stage(runtime_audit(request->runtime), &fact, &op);
    request->audit_number = op.audit.number;
    struct runtime_keep keep = {.ops = &op,
                                .op_count = 1,
                                .urgency = STORE_NORMAL,
                                .on_done = write_request_on_confirmed,
                                .arg = request};
    runtime_keep(request->runtime, &keep);
}

static void write_request_on_opened(void *arg, err result, const uint8_t *secret)
{
    struct write_request *request = arg;
    if (result != OK) {
        write_request_finish(request, result);
        return;
    }
    err failure = write_request_write_all(request, secret);
    if (failure != OK)
        write_request_finish(request, failure);
    else if (!ID_IS_ZERO(request->confirmed))
        write_request_note_confirmed(request);
    else
        write_request_post_next(request);
}

void write_request_sign(struct write_request *request, const struct account_room *room,
                        const struct write_request_signer *signer,
                        void (*on_done)(void *arg, const struct write_request_done *done),
                        void *arg)
{
    request->on_done = on_done;
    request->arg = arg;
    request->clinician = signer->account->certificate.cert_id;
    request->uid = signer->uid + 1;
    memcpy(request->login, signer->account->login, sizeof request->login);
    struct account_room own = *room;
    own.asker = signer->asker;
    err failure =
        account_unseal(&own, signer->account, signer->passphrase, write_request_on_opened, request);
    if (failure != OK)
        write_request_finish(request, failure);
}

void write_request_post(struct write_request *request,
                        void (*on_done)(void *arg, const struct write_request_done *done),
                        void *arg)
{
    request->on_done = on_done;
    request->arg = arg;
    err failure = write_request_write_all(request, NULL);
    if (failure != OK)
        write_request_finish(request, failure);
    else
        write_request_post_next(request);
}
