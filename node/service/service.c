#include "node/service/service.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/audit/audit.h"
#include "protocol/record/statement.h"

struct service_sheet {
    struct service_letter letter; /* its content is ours */
    uint8_t *content;
    uint8_t *plaintext;
    size_t plaintext_size;
};

struct service_order {
    struct runtime *runtime;
    struct service_sheet outgoing_preview[SERVICE_LETTER_COUNT_MAX];
    size_t count;
    size_t posted_count;
    struct runtime_done posted[SERVICE_LETTER_COUNT_MAX];
    struct case_id confirmed_case;
    struct hash confirmed; /* the preview; zeros: nothing was confirmed */
    uint64_t audit_number; /* of the entry about it */
    struct cert_id clinician;
    char login[ACCOUNT_LOGIN_SIZE_MAX + 1];
    uint64_t uid; /* plus 1; 0: the node */
    struct wall time;
    void (*on_done)(void *arg, const struct service_done *done);
    void *arg;
};

struct service_order *service_order_new(struct runtime *runtime)
{
    struct service_order *order = calloc(1, sizeof *order);
    if (order != NULL)
        order->runtime = runtime;
    return order;
}

static void service_wipe(uint8_t *bytes, size_t size)
{
    if (bytes != NULL)
        sodium_memzero(bytes, size);
    free(bytes);
}

void service_order_free(struct service_order *order)
{
    if (order == NULL)
        return;
    for (size_t i = 0; i < order->count; i++) {
        struct service_sheet *sheet = &order->outgoing_preview[i];
        service_wipe(sheet->content, sheet->letter.content.size);
        service_wipe(sheet->plaintext, sheet->plaintext_size);
    }
    free(order);
}

err service_add(struct service_order *order, const struct service_letter *letter)
{
    if (order->count == SERVICE_LETTER_COUNT_MAX)
        return ERR_FULL;
    uint8_t *content = malloc(letter->content.size + 1);
    if (content == NULL)
        return ERR_NO_MEMORY;
    if (letter->content.size > 0)
        memcpy(content, letter->content.data, letter->content.size);
    struct service_sheet *sheet = &order->outgoing_preview[order->count++];
    sheet->letter = *letter;
    sheet->letter.content.data = content;
    sheet->content = content;
    return OK;
}

void service_confirm(struct service_order *order, const struct case_id *case_id,
                     const struct hash *preview)
{
    order->confirmed_case = *case_id;
    order->confirmed = *preview;
}

uint16_t service_kind(const struct service_order *order)
{
    return order->count == 0 ? KIND_NONE : order->outgoing_preview[0].letter.kind;
}

static void service_finish(struct service_order *order, err verdict, bool is_key_refused)
{
    struct service_done done = {.verdict = verdict,
                                .is_key_refused = is_key_refused,
                                .posted_count = order->posted_count,
                                .posted = order->posted,
                                .time = order->time};
    if (order->on_done != NULL)
        order->on_done(order->arg, &done);
    service_order_free(order);
}

/* ---- posting ---- */

static void service_post_next(struct service_order *order);

static void service_note(struct service_order *order, const struct service_letter *letter,
                         const struct record_id *record)
{
    struct audit *audit = runtime_audit(order->runtime);
    struct audit_fact fact = {.what = AUDIT_POSTED,
                              .login = bytes_of_text(order->login),
                              .clinician = order->clinician,
                              .uid = order->uid,
                              .case_id = letter->case_id,
                              .record = *record,
                              .kind = letter->kind};
    if (audit != NULL && order->uid != 0)
        audit_note(audit, &fact);
}

static void service_on_posted(void *arg, const struct runtime_done *done)
{
    struct service_order *order = arg;
    if (done->verdict != OK) {
        service_finish(order, done->verdict, false);
        return;
    }
    service_note(order, &order->outgoing_preview[order->posted_count].letter, &done->record);
    order->posted[order->posted_count++] = *done;
    service_post_next(order);
}

static void service_post_next(struct service_order *order)
{
    if (order->posted_count == order->count) {
        service_finish(order, OK, false);
        return;
    }
    const struct service_sheet *sheet = &order->outgoing_preview[order->posted_count];
    struct runtime_post post = {.scope = sheet->letter.scope,
                                .audience = sheet->letter.audience,
                                .plaintext = {sheet->plaintext, sheet->plaintext_size},
                                .expires = sheet->letter.expires};
    runtime_post(order->runtime, &post, service_on_posted, order);
}

/* ---- signing ---- */

/* `secret` NULL: the node speaks, no clinician. */
static err service_write(struct service_order *order, struct service_sheet *sheet,
                         const uint8_t *secret)
{
    const struct runtime_config *settings = runtime_settings(order->runtime);
    struct statement statement = {.kind = sheet->letter.kind, .content = sheet->letter.content};
    if (secret != NULL) {
        struct statement_place place = {settings->federation, sheet->letter.scope, settings->self};
        struct statement_author author = {.cert_id = order->clinician, .time = order->time};
        statement_sign(&statement, &place, &author, secret);
    }
    err failure = kind_check(statement.kind, sheet->letter.scope.kind, sheet->letter.audience,
                             statement.is_signed);
    sheet->plaintext = malloc(RECORD_PLAINTEXT_SIZE_MAX);
    if (failure == OK && sheet->plaintext == NULL)
        failure = ERR_NO_MEMORY;
    struct buffer body = buffer_over(sheet->plaintext, RECORD_PLAINTEXT_SIZE_MAX);
    if (failure == OK)
        failure = statement_write(&statement, &body);
    sheet->plaintext_size = body.size;
    return failure;
}

static err service_write_all(struct service_order *order, const uint8_t *secret)
{
    err failure = OK;
    order->time = runtime_wall();
    for (size_t i = 0; failure == OK && i < order->count; i++)
        failure = service_write(order, &order->outgoing_preview[i], secret);
    return failure;
}

static void service_on_confirmed(void *arg, err result)
{
    struct service_order *order = arg;
    audit_settle(runtime_audit(order->runtime), order->audit_number, result);
    if (result != OK)
        service_finish(order, result, false);
    else
        service_post_next(order);
}

/* The entry names the clinician: it is written once the key was opened, and nothing is posted
 * before it is durable. */
static void service_note_confirmed(struct service_order *order)
{
    struct store_op op;
    struct audit_fact fact = {.what = AUDIT_CONFIRMED,
                              .login = bytes_of_text(order->login),
                              .clinician = order->clinician,
                              .uid = order->uid,
                              .case_id = order->confirmed_case};
    memcpy(fact.record.bytes, order->confirmed.bytes, HASH_SIZE);
    fact.note = bytes_of_text("the record named here is the preview's hash");
    audit_stage(runtime_audit(order->runtime), &fact, &op);
    order->audit_number = op.audit.number;
    struct runtime_keep keep = {.ops = &op,
                                .op_count = 1,
                                .urgency = STORE_NORMAL,
                                .on_done = service_on_confirmed,
                                .arg = order};
    runtime_keep(order->runtime, &keep);
}

static void service_on_opened(void *arg, err result, const uint8_t *secret)
{
    struct service_order *order = arg;
    if (result != OK) {
        service_finish(order, result, true);
        return;
    }
    err failure = service_write_all(order, secret);
    if (failure != OK)
        service_finish(order, failure, false);
    else if (!ID_IS_ZERO(order->confirmed))
        service_note_confirmed(order);
    else
        service_post_next(order);
}

void service_sign(struct service_order *order, const struct account_room *room,
                  const struct service_signer *signer,
                  void (*on_done)(void *arg, const struct service_done *done), void *arg)
{
    order->on_done = on_done;
    order->arg = arg;
    order->clinician = signer->account->certificate.cert_id;
    order->uid = signer->uid + 1;
    memcpy(order->login, signer->account->login, sizeof order->login);
    err failure =
        account_unseal(room, signer->account, signer->passphrase, service_on_opened, order);
    if (failure != OK)
        service_finish(order, failure, true);
}

void service_post(struct service_order *order,
                  void (*on_done)(void *arg, const struct service_done *done), void *arg)
{
    order->on_done = on_done;
    order->arg = arg;
    err failure = service_write_all(order, NULL);
    if (failure != OK)
        service_finish(order, failure, false);
    else
        service_post_next(order);
}
