#include "node/service/drafting.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/attachment/attachment_pdf.h"
#include "node/audit/audit.h"
#include "node/service/action.h"

/* ---- finding ---- */

static bool drafting_names(const char *name, struct bytes id)
{
    char hex[2 * HASH_SIZE + 1];
    ids_to_hex(id, hex);
    return strlen(name) >= 4 && strncasecmp(name, hex, strlen(name)) == 0;
}

struct draft *drafting_find(const struct service *service, uid_t uid, const char *name,
                            struct refusal *ret_refusal)
{
    struct draft *found = NULL, *draft = NULL;
    size_t count = 0;
    for (size_t i = 0; (draft = draft_at(service->drafts, uid, i)) != NULL; i++) {
        if (drafting_names(name, (struct bytes){draft->id, DRAFT_ID_SIZE})) {
            found = draft;
            count++;
        }
    }
    if (count == 1)
        return found;
    refusal_set(ret_refusal, count == 0 ? ERR_NOT_FOUND : ERR_INVALID,
                "`consilium draft list` shows your drafts", "%s",
                count == 0 ? "you have no such draft"
                           : "several drafts begin with these digits: give more");
    return NULL;
}

struct draft *drafting_find_open(const struct service *service, uid_t uid, const char *name,
                                 struct refusal *ret_refusal)
{
    struct draft *draft = drafting_find(service, uid, name, ret_refusal);
    if (draft == NULL || ID_IS_ZERO(draft->sending))
        return draft;
    refusal_set(ret_refusal, ERR_STATE,
                "send it again with the same preview: sending continues where it stopped",
                "the draft is being sent and cannot be changed any more");
    return NULL;
}

const struct draft_attachment *drafting_find_attachment(const struct draft *draft, const char *name,
                                                        struct refusal *ret_refusal)
{
    const struct draft_attachment *found = NULL;
    size_t count = 0;
    for (size_t i = 0; i < draft->attachment_count; i++) {
        const struct draft_attachment *attachment = &draft->attachments[i];
        if (strcmp(name, attachment->name) == 0 ||
            drafting_names(name, ID_BYTES(attachment->item_id))) {
            found = attachment;
            count++;
        }
    }
    if (count == 1)
        return found;
    refusal_set(ret_refusal, count == 0 ? ERR_NOT_FOUND : ERR_INVALID,
                "name it by its id: `consilium draft show` lists them", "%s",
                count == 0 ? "the draft has no such attachment"
                           : "several attachments have that name");
    return NULL;
}

/* ---- changing ---- */

static void drafting_refuse(const struct drafting *drafting, err code)
{
    struct refusal refusal;
    refusal_of(&refusal, code);
    drafting->on_done(drafting->arg, NULL, &refusal);
}

struct drafting_save {
    struct drafting drafting;
    uid_t uid;
    uint8_t id[DRAFT_ID_SIZE];
};

/* The draft may have been removed meanwhile. */
static void drafting_on_saved(void *arg, err result)
{
    struct drafting_save *save = arg;
    struct drafting drafting = save->drafting;
    struct draft *draft = NULL, *found = NULL;
    for (size_t i = 0; !drafting.service->is_stopped &&
                       (draft = draft_at(drafting.service->drafts, save->uid, i)) != NULL;
         i++) {
        if (memcmp(draft->id, save->id, DRAFT_ID_SIZE) == 0)
            found = draft;
    }
    free(save);
    if (result == OK && found == NULL)
        result = ERR_NOT_FOUND;
    if (result != OK)
        drafting_refuse(&drafting, result);
    else
        drafting.on_done(drafting.arg, found, NULL);
}

static void drafting_save(const struct drafting *drafting, const struct draft *draft)
{
    struct drafting_save *save = calloc(1, sizeof *save);
    err failure = save == NULL ? ERR_NO_MEMORY : OK;
    if (save != NULL) {
        *save = (struct drafting_save){.drafting = *drafting, .uid = draft->uid};
        memcpy(save->id, draft->id, DRAFT_ID_SIZE);
        failure = draft_save(drafting->service->drafts, draft, drafting_on_saved, save);
    }
    if (failure != OK) {
        free(save);
        drafting_refuse(drafting, failure);
    }
}

/* API-18: no user takes the places of the others. */
static void drafting_say_full(const struct draft_book *drafts, uid_t uid, struct refusal *refusal)
{
    if (draft_count(drafts, uid) >= DRAFT_EACH_COUNT_MAX)
        refusal_set(refusal, ERR_FULL, "delete drafts that are no longer needed",
                    "this user has %d drafts, as many as one user may have", DRAFT_EACH_COUNT_MAX);
    else
        refusal_set(
            refusal, ERR_FULL,
            "an administrator sees whose they are, and can delete them: sudo consilium draft "
            "owners",
            "there are too many drafts");
}

void drafting_make(const struct drafting *drafting, uid_t uid, const struct case_id *supplied,
                   const json_t *fields)
{
    struct draft_book *drafts = drafting->service->drafts;
    struct draft *draft = NULL;
    struct refusal refusal;
    if (supplied != NULL &&
        action_check(drafting->service, supplied, KIND_SUPPLY, &refusal) != OK) {
        drafting->on_done(drafting->arg, NULL, &refusal);
        return;
    }
    draft = supplied == NULL ? draft_new(drafts, uid) : draft_new_supply(drafts, uid, supplied);
    if (draft == NULL)
        drafting_say_full(drafts, uid, &refusal);
    else if (draft_change(draft, fields, &refusal) == OK) {
        drafting_save(drafting, draft);
        return;
    } else
        draft_remove(drafts, draft, true);
    drafting->on_done(drafting->arg, NULL, &refusal);
}

void drafting_change(const struct drafting *drafting, struct draft *draft, const json_t *fields)
{
    struct refusal refusal;
    if (draft_change(draft, fields, &refusal) == OK)
        drafting_save(drafting, draft);
    else
        drafting->on_done(drafting->arg, NULL, &refusal);
}

void drafting_detach(const struct drafting *drafting, struct draft *draft,
                     const struct draft_attachment *attachment)
{
    draft_detach(drafting->service->drafts, draft, (size_t)(attachment - draft->attachments));
    drafting_save(drafting, draft);
}

static err drafting_check_owner(const struct draft *draft, uid_t uid, struct refusal *ret_refusal)
{
    if (draft->uid == uid)
        return OK;
    return refusal_set(ret_refusal, ERR_NOT_ENTITLED,
                       "ask who began it; you may read, change and send it",
                       "a colleague shared this draft with you, and alone shares or deletes it");
}

static err drafting_change_shared(struct draft *draft, uid_t with, bool is_end,
                                  struct refusal *ret_refusal)
{
    size_t i = 0;
    while (i < draft->shared_count && draft->shared[i] != with)
        i++;
    if (is_end && i == draft->shared_count)
        return refusal_set(ret_refusal, ERR_NOT_FOUND,
                           "`consilium draft show DRAFT` lists with whom it is shared",
                           "the draft is not shared with that account");
    if (is_end)
        draft->shared[i] = draft->shared[--draft->shared_count];
    else if (draft->uid == with)
        return refusal_set(ret_refusal, ERR_INVALID,
                           "`consilium clinician list` shows the accounts",
                           "that account is yours: the draft is yours already");
    else if (i == DRAFT_SHARED_MAX)
        return refusal_set(ret_refusal, ERR_FULL, "end it for one of them with --end",
                           "a draft is shared with at most %d colleagues", DRAFT_SHARED_MAX);
    else if (i == draft->shared_count)
        draft->shared[draft->shared_count++] = with;
    return OK;
}

/* Whom the draft is shown to is a disclosure within the house. */
static void drafting_note_share(const struct drafting *drafting, const struct draft *draft,
                                const char *login, bool is_end)
{
    char note[AUDIT_NOTE_SIZE_MAX], id[2 * DRAFT_ID_SIZE + 1];
    (void)sodium_bin2hex(id, sizeof id, draft->id, DRAFT_ID_SIZE);
    (void)snprintf(note, sizeof note, "draft %.16s, with %.100s", id, login);
    const struct audit_fact fact = {.what = is_end ? AUDIT_DRAFT_SHARE_ENDED : AUDIT_DRAFT_SHARED,
                                    .uid = (uint64_t)draft->uid + 1,
                                    .case_id = draft->case_id,
                                    .note = bytes_of_text(note)};
    audit_note(runtime_audit(drafting->service->runtime), &fact);
}

void drafting_share(const struct drafting *drafting, struct draft *draft, uid_t uid,
                    const char *login, bool is_end)
{
    struct refusal refusal;
    const struct account *account = account_find(drafting->service->accounts, login);
    err failure = drafting_check_owner(draft, uid, &refusal);
    if (failure == OK && account == NULL)
        failure =
            refusal_set(&refusal, ERR_NOT_FOUND, "`consilium clinician list` shows the accounts",
                        "this institution has no clinician account of that name");
    if (failure == OK)
        failure = drafting_change_shared(draft, account->uid, is_end, &refusal);
    if (failure == OK) {
        drafting_note_share(drafting, draft, login, is_end);
        drafting_save(drafting, draft);
    } else {
        drafting->on_done(drafting->arg, NULL, &refusal);
    }
}

err drafting_delete(struct service *service, struct draft *draft, uid_t uid,
                    struct refusal *ret_refusal)
{
    if (drafting_check_owner(draft, uid, ret_refusal) != OK)
        return ret_refusal->code;
    if (draft->in_progress > 0)
        return refusal_set(ret_refusal, ERR_BUSY, "delete it when the attachment is in",
                           "an attachment is being added to the draft");
    draft_remove(service->drafts, draft, true);
    return OK;
}

/* ---- attaching: examined and cleaned by a worker, then stored as a sealed item ---- */

struct drafting_upload {
    struct job job;
    struct drafting drafting;
    struct draft *draft; /* in_progress keeps it */
    uint8_t *content;
    size_t size;
    char name[ITEM_NAME_SIZE_MAX + 1];
    bool is_as_pictures;
    char pdf_program[4096];
    enum attachment_verdict verdict;
    struct attachment taken;
};

static void drafting_upload_free(struct drafting_upload *upload)
{
    upload->draft->in_progress--;
    attachment_clear(&upload->taken);
    free(upload->content);
    free(upload);
}

static void drafting_run(struct job *job)
{
    struct drafting_upload *upload = (struct drafting_upload *)job;
    struct bytes content = {upload->content, upload->size};
    upload->verdict = (upload->is_as_pictures ? attachment_take_as_pictures : attachment_take)(
        bytes_of_text(upload->name), content, upload->pdf_program, &upload->taken);
}

static void drafting_on_put(void *arg, const struct items_put *put)
{
    struct drafting_upload *upload = arg;
    struct drafting drafting = upload->drafting;
    struct draft *draft = upload->draft;
    struct draft_attachment attachment = {.item_id = put->item_id,
                                          .item_key = put->item_key,
                                          .size = put->size,
                                          .chunk_count = put->chunk_count,
                                          .stripped = upload->taken.stripped};
    snprintf(attachment.name, sizeof attachment.name, "%s", upload->name);
    snprintf(attachment.media_type, sizeof attachment.media_type, "%s",
             attachment_media_type(upload->taken.type));
    char *findings = upload->taken.findings;
    upload->taken.findings = NULL;
    drafting_upload_free(upload);
    if (put->verdict != OK) {
        free(findings);
        drafting_refuse(&drafting, put->verdict);
    } else if (draft->attachment_count == ITEM_COUNT_MAX || !ID_IS_ZERO(draft->sending) ||
               drafting.service->is_stopped) {
        struct refusal refusal;
        free(findings);
        items_drop(drafting.service->items, &put->item_id);
        refusal_set(&refusal, ERR_STATE,
                    "it holds 64 at most, and none once it is being sent: `consilium draft show "
                    "DRAFT`; `consilium draft detach` takes one out",
                    "the draft takes no more attachments");
        drafting.on_done(drafting.arg, NULL, &refusal);
    } else {
        attachment.findings = findings;
        draft->attachments[draft->attachment_count++] = attachment;
        drafting_save(&drafting, draft);
    }
}

static err drafting_code_of(enum attachment_verdict verdict)
{
    return verdict == ATTACHMENT_TOO_LARGE    ? ERR_TOO_LARGE
           : verdict == ATTACHMENT_NO_CLEANER ? ERR_IO
           : verdict == ATTACHMENT_NO_MEMORY  ? ERR_NO_MEMORY
                                              : ERR_INVALID;
}

static void drafting_on_run(struct job *job)
{
    struct drafting_upload *upload = (struct drafting_upload *)job;
    struct drafting drafting = upload->drafting;
    enum attachment_verdict verdict = upload->verdict;
    if (drafting.service->is_stopped) {
        drafting_upload_free(upload);
        drafting_refuse(&drafting, ERR_BUSY);
    } else if (verdict != ATTACHMENT_TAKEN) {
        struct refusal refusal;
        char page[32] = "";
        if (upload->taken.page > 0)
            snprintf(page, sizeof page, "page %" PRIu32 ": ", upload->taken.page);
        refusal_set(&refusal, drafting_code_of(verdict), attachment_advice(verdict), "%s: %s%s",
                    upload->name, page, attachment_sentence(verdict));
        drafting_upload_free(upload);
        drafting.on_done(drafting.arg, NULL, &refusal);
    } else {
        struct items_content content = {upload->taken.data, upload->taken.size};
        upload->taken.data = NULL;
        free(upload->content);
        upload->content = NULL;
        items_put(drafting.service->items, &upload->draft->case_id, content, drafting_on_put,
                  upload);
    }
}

void drafting_attach(const struct drafting *drafting, struct draft *draft,
                     const struct drafting_file *file)
{
    struct drafting_upload *upload = calloc(1, sizeof *upload);
    if (upload == NULL) {
        free(file->content);
        drafting_refuse(drafting, ERR_NO_MEMORY);
        return;
    }
    upload->drafting = *drafting;
    upload->draft = draft;
    draft->in_progress++;
    snprintf(upload->name, sizeof upload->name, "%s", file->name);
    upload->content = file->content;
    upload->size = file->size;
    upload->is_as_pictures = file->is_as_pictures;
    upload->job = (struct job){.run = drafting_run, .done = drafting_on_run};
    if (attachment_pdf_find(upload->pdf_program, sizeof upload->pdf_program) != OK)
        upload->pdf_program[0] = 0; /* then only a PDF is refused */
    err failure =
        workers_submit(drafting->service->workers, (uint64_t)(uintptr_t)upload, &upload->job);
    if (failure != OK) {
        drafting_upload_free(upload);
        drafting_refuse(drafting, failure);
    }
}
