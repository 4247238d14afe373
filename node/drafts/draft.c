#include "node/drafts/draft.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "node/views/content_json_decode.h"
#include "node/views/content_json_encode.h"
#include "protocol/contents/announcement.h"
#include "protocol/contents/content_registry.h"
#include "store/row_table.h"

struct draft_book {
    struct runtime *runtime;
    struct items *items;
    struct draft *first; /* newest first */
    size_t count;
};

/* ---- fields ---- */

static const char *const draft_case_names[] = {
    "question", "description", "specialty", "service",  "reason",    "wanted_count",
    "deadline", "language",    "mode",      "age",      "sex",       "country",
    "fee_link", "initiative",  "consent",   "directed", "emergency", NULL};
static const char *const draft_supply_names[] = {"description", "language", "ask",
                                                 "answers",     "note",     NULL};

static bool draft_names(const char *const *names, const char *name)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

json_t *draft_part(const struct draft *draft, const struct content_table *table)
{
    const char *const *names = draft->is_supply ? draft_supply_names : draft_case_names;
    json_t *part = json_object();
    for (size_t i = 0; part != NULL && i < table->field_count; i++) {
        const char *name = table->fields[i].name;
        json_t *value = draft_names(names, name) && strcmp(name, "directed") != 0
                            ? json_object_get(draft->fields, name)
                            : NULL;
        if (value != NULL)
            json_object_set(part, name, value);
    }
    return part;
}

/* Adds what is wrong with the fields of this content. */
static void draft_check_part(const struct draft *draft, const struct content_table *table,
                             struct refusal *problem)
{
    union content_registry_value *value = malloc(sizeof *value);
    json_t *part = draft_part(draft, table);
    struct content_json_take how = {.table = table};
    struct refusal found;
    err failure = value == NULL || part == NULL ? refusal_of(&found, ERR_NO_MEMORY)
                                                : content_json_decode(&how, part, value, &found);
    if (failure != OK)
        refusal_merge(problem, &found);
    json_decref(part);
    free(value);
}

static void draft_check(const struct draft *draft, struct refusal *problem)
{
    draft_check_part(draft, &case_file_table, problem);
    if (draft->is_supply) {
        draft_check_part(draft, &case_record_supply_table, problem);
        return;
    }
    draft_check_part(draft, &announcement_table, problem);
    draft_check_part(draft, &case_record_open_table, problem);
    const json_t *directed = json_object_get(draft->fields, "directed");
    if (directed != NULL && !json_is_array(directed))
        (void)refusal_add(problem, ERR_INVALID, "directed: must be a list of members");
}

/* API-5: this is no way to call for help. */
static err draft_check_emergency(const json_t *form, struct refusal *ret_problem)
{
    const json_t *emergency = json_object_get(form, "emergency");
    if (emergency == NULL || json_is_false(emergency) || json_is_null(emergency))
        return OK;
    refusal_set(ret_problem, ERR_STATE, "call the emergency number, or a colleague on duty",
                "this is not for emergencies: answers take hours or days. Call for help");
    return ERR_STATE;
}

err draft_change(struct draft *draft, const json_t *form, struct refusal *ret_problem)
{
    const char *const *names = draft->is_supply ? draft_supply_names : draft_case_names;
    err failure = draft_check_emergency(form, ret_problem);
    if (failure != OK)
        return failure;
    refusal_clear(ret_problem);
    content_json_add_unknown(form, names, ret_problem);
    json_t *before = draft->fields;
    json_t *after = json_copy(before);
    for (size_t i = 0; after != NULL && names[i] != NULL; i++) {
        json_t *value = json_object_get(form, names[i]);
        if (value == NULL || strcmp(names[i], "emergency") == 0)
            continue;
        if (json_is_null(value))
            json_object_del(after, names[i]);
        else
            json_object_set(after, names[i], value);
    }
    draft->fields = after;
    if (after == NULL)
        (void)refusal_of(ret_problem, ERR_NO_MEMORY);
    else
        draft_check(draft, ret_problem);
    if (ret_problem->code == OK) {
        json_decref(before);
        return OK;
    }
    json_decref(after);
    draft->fields = before;
    return ret_problem->code;
}

/* ---- in the store ---- */

static json_t *draft_write_attachment(const struct draft_attachment *attachment)
{
    return json_pack("{s:o,s:o,s:s,s:s,s:I,s:I,s:I,s:s*}", "item",
                     content_json_encode_hex(ID_BYTES(attachment->item_id)), "key",
                     content_json_encode_hex(ID_BYTES(attachment->item_key)), "name",
                     attachment->name, "type", attachment->media_type, "size",
                     (json_int_t)attachment->size, "chunks", (json_int_t)attachment->chunk_count,
                     "stripped", (json_int_t)attachment->stripped, "findings",
                     attachment->findings);
}

static json_t *draft_write(const struct draft *draft)
{
    json_t *attachments = json_array();
    for (size_t i = 0; i < draft->attachment_count; i++)
        json_array_append_new(attachments, draft_write_attachment(&draft->attachments[i]));
    json_t *shared = json_array();
    for (size_t i = 0; i < draft->shared_count; i++)
        json_array_append_new(shared, json_integer((json_int_t)draft->shared[i]));
    return json_pack("{s:I,s:o,s:b,s:o,s:o,s:I,s:O,s:o,s:o}", "uid", (json_int_t)draft->uid,
                     "shared", shared, "is_supply", (int)draft->is_supply, "case",
                     content_json_encode_hex(ID_BYTES(draft->case_id)), "opening",
                     content_json_encode_hex(ID_BYTES(draft->opening)), "made",
                     (json_int_t)draft->made_at.ms, "fields", draft->fields, "attachments",
                     attachments, "sending", content_json_encode_hex(ID_BYTES(draft->sending)));
}

static bool draft_read_hex(const json_t *json, const char *name, uint8_t *out, size_t size)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text != NULL && ids_from_hex(text, out, size) == OK;
}

static uint64_t draft_read_number(const json_t *json, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(json, name));
}

static bool draft_read_text(const json_t *json, const char *name, char *out, size_t room)
{
    const char *text = json_string_value(json_object_get(json, name));
    if (text == NULL || strlen(text) >= room)
        return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

static bool draft_read_attachment(const json_t *json, struct draft_attachment *attachment)
{
    attachment->size = draft_read_number(json, "size");
    attachment->chunk_count = draft_read_number(json, "chunks");
    attachment->stripped = (uint32_t)draft_read_number(json, "stripped");
    const char *findings = json_string_value(json_object_get(json, "findings"));
    if (findings != NULL && (attachment->findings = strdup(findings)) == NULL)
        return false;
    return draft_read_hex(json, "item", attachment->item_id.bytes, HASH_SIZE) &&
           draft_read_hex(json, "key", attachment->item_key.bytes, KEY_SIZE) &&
           draft_read_text(json, "name", attachment->name, sizeof attachment->name) &&
           draft_read_text(json, "type", attachment->media_type, sizeof attachment->media_type);
}

static bool draft_read(struct draft *draft, const json_t *json)
{
    const json_t *attachments = json_object_get(json, "attachments");
    draft->uid = (uid_t)draft_read_number(json, "uid");
    const json_t *shared = json_object_get(json, "shared"); /* older drafts have none */
    for (size_t i = 0; i < json_array_size(shared) && i < DRAFT_SHARED_MAX; i++)
        draft->shared[draft->shared_count++] = (uid_t)json_integer_value(json_array_get(shared, i));
    draft->is_supply = json_is_true(json_object_get(json, "is_supply"));
    draft->made_at.ms = draft_read_number(json, "made");
    draft->fields = json_incref(json_object_get(json, "fields"));
    bool is_good = json_is_object(draft->fields) &&
                   draft_read_hex(json, "case", draft->case_id.bytes, HASH_SIZE) &&
                   draft_read_hex(json, "opening", draft->opening.bytes, HASH_SIZE) &&
                   draft_read_hex(json, "sending", draft->sending.bytes, HASH_SIZE) &&
                   json_array_size(attachments) <= ITEM_COUNT_MAX;
    for (size_t i = 0; is_good && i < json_array_size(attachments); i++)
        is_good = draft_read_attachment(json_array_get(attachments, i),
                                        &draft->attachments[draft->attachment_count++]);
    return is_good;
}

static void draft_free(struct draft *draft)
{
    if (draft == NULL)
        return;
    json_decref(draft->fields);
    for (size_t i = 0; i < draft->attachment_count; i++)
        free(draft->attachments[i].findings);
    sodium_memzero(draft, sizeof *draft);
    free(draft);
}

static bool draft_on_row(void *arg, const struct store_row *row)
{
    struct draft_book *book = arg;
    struct draft *draft = calloc(1, sizeof *draft);
    json_t *json = json_loadb((const char *)row->value.data, row->value.size, 0, NULL);
    if (draft != NULL && json != NULL && row->key.size == DRAFT_ID_SIZE &&
        draft_read(draft, json)) {
        memcpy(draft->id, row->key.data, DRAFT_ID_SIZE);
        struct draft **link = &book->first;
        while (*link != NULL && (*link)->made_at.ms > draft->made_at.ms)
            link = &(*link)->next;
        draft->next = *link;
        *link = draft;
        book->count++;
        draft = NULL;
    } else {
        log_warn("draft-unreadable", LOG_NONE);
    }
    draft_free(draft);
    json_decref(json);
    return true;
}

/* After a crash: of which nothing has left may be changed again. A supply that was sent in part is
 * found so by the case file (outgoing_preview.c). */
static void draft_unmark(struct draft_book *book)
{
    for (struct draft *draft = book->first; draft != NULL; draft = draft->next) {
        const struct consult *consult = runtime_case(book->runtime, &draft->case_id);
        if (draft->is_supply || consult == NULL || ID_IS_ZERO(consult->open))
            memset(&draft->sending, 0, sizeof draft->sending);
    }
}

err draft_open(struct runtime *runtime, struct items *items, struct draft_book **ret_book)
{
    struct draft_book *book = calloc(1, sizeof *book);
    if (book == NULL)
        return ERR_NO_MEMORY;
    book->runtime = runtime;
    book->items = items;
    err failure = row_table_scan(runtime_store(runtime), STORE_TABLE_DRAFT, draft_on_row, book);
    if (failure != OK) {
        draft_close(book);
        return failure;
    }
    draft_unmark(book);
    *ret_book = book;
    return OK;
}

void draft_close(struct draft_book *book)
{
    while (book != NULL && book->first != NULL) {
        struct draft *draft = book->first;
        book->first = draft->next;
        draft_free(draft);
    }
    free(book);
}

/* ---- one ---- */

static struct draft *draft_add(struct draft_book *book, uid_t uid)
{
    bool has_room = book->count < DRAFT_COUNT_MAX && draft_count(book, uid) < DRAFT_EACH_COUNT_MAX;
    struct draft *draft = has_room ? calloc(1, sizeof *draft) : NULL;
    if (draft == NULL)
        return NULL;
    draft->fields = json_object();
    if (draft->fields == NULL) {
        free(draft);
        return NULL;
    }
    randombytes_buf(draft->id, DRAFT_ID_SIZE);
    draft->uid = uid;
    draft->made_at = runtime_wall();
    draft->next = book->first;
    book->first = draft;
    book->count++;
    return draft;
}

struct draft *draft_new(struct draft_book *book, uid_t uid)
{
    struct draft *draft = draft_add(book, uid);
    if (draft == NULL)
        return NULL;
    const struct runtime_config *settings = runtime_settings(book->runtime);
    randombytes_buf(draft->opening.bytes, sizeof draft->opening.bytes);
    draft->case_id = case_record_case_id(&settings->federation, &settings->self, &draft->opening);
    return draft;
}

struct draft *draft_new_supply(struct draft_book *book, uid_t uid, const struct case_id *case_id)
{
    struct draft *draft = draft_add(book, uid);
    if (draft == NULL)
        return NULL;
    draft->is_supply = true;
    draft->case_id = *case_id;
    return draft;
}

bool draft_is_for(const struct draft *draft, uid_t uid)
{
    bool is = draft->uid == uid;
    for (size_t i = 0; i < draft->shared_count; i++)
        is = is || draft->shared[i] == uid;
    return is;
}

struct draft *draft_at(const struct draft_book *book, uid_t uid, size_t n)
{
    struct draft *draft = book->first;
    while (draft != NULL && (!draft_is_for(draft, uid) || n-- > 0))
        draft = draft->next;
    return draft;
}

struct draft *draft_next(const struct draft_book *book, const struct draft *before)
{
    return before == NULL ? book->first : before->next;
}

size_t draft_count(const struct draft_book *book, uid_t uid)
{
    size_t count = 0;
    for (const struct draft *draft = book->first; draft != NULL; draft = draft->next)
        count += draft->uid == uid;
    return count;
}

err draft_save(struct draft_book *book, const struct draft *draft,
               void (*on_done)(void *arg, err result), void *arg)
{
    json_t *json = draft_write(draft);
    char *text = malloc(STORE_ROW_SIZE_MAX);
    size_t size = 0;
    if (json != NULL && text != NULL)
        size = json_dumpb(json, text, STORE_ROW_SIZE_MAX, JSON_COMPACT);
    json_decref(json);
    err failure = size == 0 ? ERR_NO_MEMORY : size > STORE_ROW_SIZE_MAX ? ERR_TOO_LARGE : OK;
    struct store_op op = {.kind = STORE_ROW_PUT,
                          .row = {.table = STORE_TABLE_DRAFT,
                                  .key = {draft->id, DRAFT_ID_SIZE},
                                  .value = {(const uint8_t *)text, size}}};
    struct runtime_keep keep = {.ops = &op, .op_count = 1, .on_done = on_done, .arg = arg};
    if (failure == OK)
        runtime_keep(book->runtime, &keep);
    if (text != NULL)
        sodium_memzero(text, STORE_ROW_SIZE_MAX);
    free(text);
    return failure;
}

void draft_remove(struct draft_book *book, struct draft *draft, bool with_items)
{
    struct store_op op = {.kind = STORE_ROW_DELETE,
                          .row = {.table = STORE_TABLE_DRAFT, .key = {draft->id, DRAFT_ID_SIZE}}};
    struct runtime_keep keep = {.ops = &op, .op_count = 1, .urgency = STORE_RELEASING};
    struct draft **link = &book->first;
    while (*link != NULL && *link != draft)
        link = &(*link)->next;
    if (*link == NULL)
        return;
    *link = draft->next;
    book->count--;
    runtime_keep(book->runtime, &keep);
    for (size_t i = 0; with_items && i < draft->attachment_count; i++)
        items_drop(book->items, &draft->attachments[i].item_id);
    draft_free(draft);
}

void draft_detach(struct draft_book *book, struct draft *draft, size_t place)
{
    items_drop(book->items, &draft->attachments[place].item_id);
    free(draft->attachments[place].findings);
    draft->attachment_count--;
    memmove(&draft->attachments[place], &draft->attachments[place + 1],
            (draft->attachment_count - place) * sizeof draft->attachments[0]);
    sodium_memzero(&draft->attachments[draft->attachment_count], sizeof draft->attachments[0]);
}

void draft_revision(const struct draft *draft, char ret_revision[static DRAFT_REVISION_SIZE])
{
    char *text = json_dumps(draft->fields, JSON_SORT_KEYS | JSON_COMPACT);
    struct hash hash = hash_one(CONTEXT_PREVIEW, bytes_of_text(text == NULL ? "" : text));
    (void)sodium_bin2hex(ret_revision, DRAFT_REVISION_SIZE, hash.bytes, DRAFT_REVISION_SIZE / 2);
    json_malloc_t unused;
    json_free_t wipe; /* what was typed does not stay in freed memory */
    json_get_alloc_funcs(&unused, &wipe);
    if (text != NULL)
        wipe(text);
}
