#include "node/service/lookup.h"

#include <string.h>

struct lookup {
    const char *prefix;
    uint8_t found[HASH_SIZE];
    bool is_found;
    bool is_ambiguous;
};

static bool lookup_is_prefix(const char *text)
{
    size_t size = text == NULL ? 0 : strlen(text);
    return size >= 4 && size <= 2 * HASH_SIZE && strspn(text, "0123456789abcdefABCDEF") == size;
}

static void lookup_try(struct lookup *lookup, struct bytes id)
{
    char hex[2 * HASH_SIZE + 1];
    ids_to_hex(id, hex);
    if (strncasecmp(lookup->prefix, hex, strlen(lookup->prefix)) != 0)
        return;
    if (lookup->is_found && memcmp(lookup->found, id.data, id.size) != 0)
        lookup->is_ambiguous = true;
    memcpy(lookup->found, id.data, id.size);
    lookup->is_found = true;
}

static err lookup_end(const struct lookup *lookup, const char *what, const char *hint,
                      struct refusal *ret_refusal)
{
    const char *named = lookup->prefix == NULL ? "" : lookup->prefix;
    if (lookup->is_ambiguous)
        return refusal_set(ret_refusal, ERR_INVALID, "give more digits",
                           "more than one %s begins with %.64s", what, named);
    return lookup->is_found ? OK
                            : refusal_set(ret_refusal, ERR_NOT_FOUND, hint,
                                          "this %s is not known here: %.64s", what, named);
}

static bool lookup_on_entry(void *arg, const struct inbox_entry *entry)
{
    lookup_try(arg, ID_BYTES(entry->case_id));
    return true;
}

err lookup_case(const struct service *service, const char *name, struct case_id *ret_case,
                struct refusal *ret_refusal)
{
    struct lookup lookup = {.prefix = name};
    const struct engine *engine = runtime_engine(service->runtime);
    struct engine_case_brief brief;
    if (lookup_is_prefix(name)) {
        for (uint32_t i = 0; engine_case_at(engine, i, &brief); i++)
            lookup_try(&lookup, ID_BYTES(brief.case_id));
        inbox_scan(service->inbox, 0, lookup_on_entry, &lookup);
    }
    err failure = lookup_end(&lookup, "case",
                             "`consilium cases` and `consilium inbox --state all` list the cases; "
                             "give at least 4 digits",
                             ret_refusal);
    if (failure == OK)
        memcpy(ret_case->bytes, lookup.found, HASH_SIZE);
    return failure;
}

err lookup_member(const struct service *service, const char *name, struct node_id *ret_node,
                  struct refusal *ret_refusal)
{
    struct lookup lookup = {.prefix = name};
    const struct roster *roster = runtime_roster(service->runtime);
    bool is_prefix = lookup_is_prefix(name) && strlen(name) <= 2 * NODE_ID_SIZE;
    for (uint32_t i = 0; name != NULL && i < roster_count(roster); i++) {
        const struct roster_entry *entry = roster_at(roster, i);
        if (bytes_equal(roster_name(roster, entry), bytes_of_text(name))) {
            *ret_node = entry->node_id;
            return OK;
        }
        if (is_prefix)
            lookup_try(&lookup, ID_BYTES(entry->node_id));
    }
    err failure = lookup_end(&lookup, "member",
                             "`consilium members` lists them; give the whole name, or at least 4 "
                             "digits of the id",
                             ret_refusal);
    if (failure == OK)
        memcpy(ret_node->bytes, lookup.found, NODE_ID_SIZE);
    return failure;
}

static bool lookup_on_record(void *arg, const struct stored_record *stored_record)
{
    lookup_try(arg, ID_BYTES(stored_record->claim.id));
    return true;
}

err lookup_record(const struct service *service, const struct case_id *case_id, const char *name,
                  struct record_id *ret_record, struct refusal *ret_refusal)
{
    struct lookup lookup = {.prefix = name};
    struct scope scope = scope_case(case_id);
    err failure = OK;
    if (lookup_is_prefix(name))
        failure = stored_record_scope(runtime_store(service->runtime), &scope, 0, lookup_on_record,
                                      &lookup);
    if (failure != OK)
        return refusal_of(ret_refusal, failure);
    failure = lookup_end(&lookup, "record",
                         "`consilium thread CASE` lists them; give at least 4 digits", ret_refusal);
    if (failure == OK)
        memcpy(ret_record->bytes, lookup.found, HASH_SIZE);
    return failure;
}
