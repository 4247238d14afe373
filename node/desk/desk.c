#include "node/desk/desk.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/federation/audit.h"
#include "protocol/record/statement.h"

struct desk_sheet {
    struct desk_letter letter; /* its content is ours */
    uint8_t *content;
    uint8_t *plaintext;
    size_t plaintext_size;
};

struct desk_order {
    struct shell *shell;
    struct desk_sheet sheets[DESK_LETTER_COUNT_MAX];
    size_t count;
    size_t posted_count;
    struct shell_done posted[DESK_LETTER_COUNT_MAX];
    struct case_id confirmed_case;
    struct hash confirmed; /* the preview; zeros: nothing was confirmed */
    uint64_t audit_number; /* of the entry about it */
    struct cert_id clinician;
    char login[ACCOUNT_LOGIN_SIZE_MAX + 1];
    uint64_t uid; /* plus 1; 0: the node */
    struct wall time;
    void (*on_done)(void *arg, const struct desk_done *done);
    void *arg;
};

struct desk_order *desk_order_new(struct shell *shell)
{
    struct desk_order *order = calloc(1, sizeof *order);
    if (order != NULL)
        order->shell = shell;
    return order;
}

static void desk_wipe(uint8_t *bytes, size_t size)
{
    if (bytes != NULL)
        sodium_memzero(bytes, size);
    free(bytes);
}

void desk_order_free(struct desk_order *order)
{
    if (order == NULL)
        return;
    for (size_t i = 0; i < order->count; i++) {
        struct desk_sheet *sheet = &order->sheets[i];
        desk_wipe(sheet->content, sheet->letter.content.size);
        desk_wipe(sheet->plaintext, sheet->plaintext_size);
    }
    free(order);
}

err desk_add(struct desk_order *order, const struct desk_letter *letter)
{
    if (order->count == DESK_LETTER_COUNT_MAX)
        return ERR_FULL;
    uint8_t *content = malloc(letter->content.size + 1);
    if (content == NULL)
        return ERR_NO_MEMORY;
    if (letter->content.size > 0)
        memcpy(content, letter->content.data, letter->content.size);
    struct desk_sheet *sheet = &order->sheets[order->count++];
    sheet->letter = *letter;
    sheet->letter.content.data = content;
    sheet->content = content;
    return OK;
}

void desk_confirm(struct desk_order *order, const struct case_id *case_id,
                  const struct hash *preview)
{
    order->confirmed_case = *case_id;
    order->confirmed = *preview;
}

uint16_t desk_kind(const struct desk_order *order)
{
    return order->count == 0 ? KIND_NONE : order->sheets[0].letter.kind;
}

static void desk_finish(struct desk_order *order, err verdict, bool is_key_refused)
{
    struct desk_done done = {.verdict = verdict,
                             .is_key_refused = is_key_refused,
                             .posted_count = order->posted_count,
                             .posted = order->posted,
                             .time = order->time};
    if (order->on_done != NULL)
        order->on_done(order->arg, &done);
    desk_order_free(order);
}

/* ---- posting ---- */

static void desk_post_next(struct desk_order *order);

static void desk_note(struct desk_order *order, const struct desk_letter *letter,
                      const struct record_id *record)
{
    struct audit *audit = shell_audit(order->shell);
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

static void desk_on_posted(void *arg, const struct shell_done *done)
{
    struct desk_order *order = arg;
    if (done->verdict != OK) {
        desk_finish(order, done->verdict, false);
        return;
    }
    desk_note(order, &order->sheets[order->posted_count].letter, &done->record);
    order->posted[order->posted_count++] = *done;
    desk_post_next(order);
}

static void desk_post_next(struct desk_order *order)
{
    if (order->posted_count == order->count) {
        desk_finish(order, OK, false);
        return;
    }
    const struct desk_sheet *sheet = &order->sheets[order->posted_count];
    struct shell_post post = {.scope = sheet->letter.scope,
                              .audience = sheet->letter.audience,
                              .plaintext = {sheet->plaintext, sheet->plaintext_size},
                              .expires = sheet->letter.expires};
    shell_post(order->shell, &post, desk_on_posted, order);
}

/* ---- signing ---- */

/* `secret` NULL: the node speaks, no clinician. */
static err desk_write(struct desk_order *order, struct desk_sheet *sheet, const uint8_t *secret)
{
    const struct shell_config *settings = shell_settings(order->shell);
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

static err desk_write_all(struct desk_order *order, const uint8_t *secret)
{
    err failure = OK;
    order->time = shell_wall();
    for (size_t i = 0; failure == OK && i < order->count; i++)
        failure = desk_write(order, &order->sheets[i], secret);
    return failure;
}

static void desk_on_confirmed(void *arg, err result)
{
    struct desk_order *order = arg;
    audit_settle(shell_audit(order->shell), order->audit_number, result);
    if (result != OK)
        desk_finish(order, result, false);
    else
        desk_post_next(order);
}

/* The entry names the clinician: it is written once the key was opened, and nothing is posted
 * before it is durable. */
static void desk_note_confirmed(struct desk_order *order)
{
    struct store_op op;
    struct audit_fact fact = {.what = AUDIT_CONFIRMED,
                              .login = bytes_of_text(order->login),
                              .clinician = order->clinician,
                              .uid = order->uid,
                              .case_id = order->confirmed_case};
    memcpy(fact.record.bytes, order->confirmed.bytes, HASH_SIZE);
    fact.note = bytes_of_text("the record named here is the preview's hash");
    audit_stage(shell_audit(order->shell), &fact, &op);
    order->audit_number = op.audit.number;
    struct shell_keep keep = {.ops = &op,
                              .op_count = 1,
                              .urgency = STORE_NORMAL,
                              .on_done = desk_on_confirmed,
                              .arg = order};
    shell_keep(order->shell, &keep);
}

static void desk_on_opened(void *arg, err result, const uint8_t *secret)
{
    struct desk_order *order = arg;
    if (result != OK) {
        desk_finish(order, result, true);
        return;
    }
    err failure = desk_write_all(order, secret);
    if (failure != OK)
        desk_finish(order, failure, false);
    else if (!ID_IS_ZERO(order->confirmed))
        desk_note_confirmed(order);
    else
        desk_post_next(order);
}

void desk_sign(struct desk_order *order, const struct account_room *room,
               const struct desk_signer *signer,
               void (*on_done)(void *arg, const struct desk_done *done), void *arg)
{
    order->on_done = on_done;
    order->arg = arg;
    order->clinician = signer->account->certificate.cert_id;
    order->uid = signer->uid + 1;
    memcpy(order->login, signer->account->login, sizeof order->login);
    err failure = account_unseal(room, signer->account, signer->passphrase, desk_on_opened, order);
    if (failure != OK)
        desk_finish(order, failure, true);
}

void desk_post(struct desk_order *order, void (*on_done)(void *arg, const struct desk_done *done),
               void *arg)
{
    order->on_done = on_done;
    order->arg = arg;
    err failure = desk_write_all(order, NULL);
    if (failure != OK)
        desk_finish(order, failure, false);
    else
        desk_post_next(order);
}
