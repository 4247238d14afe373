#include "node/views/view_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/views/content_json.h"
#include "node/views/content_json_encode.h"
#include "node/views/delivery_status.h"
#include "protocol/contents/announcement.h"
#include "protocol/contents/case_record.h"
#include "protocol/contents/mail.h"
#include "protocol/contents/opinion.h"
#include "store/record_table.h"

void view_json_boards(const struct runtime *runtime, char ret_list[static VIEW_JSON_BOARDS_SIZE])
{
    const struct settings *settings = roster_settings(runtime_roster(runtime));
    size_t size = 0;
    ret_list[0] = '\0';
    for (uint32_t i = 0; settings != NULL && i < settings->board_count; i++) {
        struct bytes tag = settings->boards[i].tag;
        bool has_room = size + tag.size + 8 < VIEW_JSON_BOARDS_SIZE;
        size += (size_t)snprintf(ret_list + size, VIEW_JSON_BOARDS_SIZE - size, "%s%.*s",
                                 i == 0 ? "" : ", ", has_room ? (int)tag.size : 3,
                                 has_room ? (const char *)tag.data : "...");
        if (!has_room)
            break;
    }
}

json_t *view_json_member(const struct runtime *runtime, const struct node_id *node)
{
    const struct roster *roster = runtime_roster(runtime);
    const struct roster_entry *entry = roster_find(roster, node);
    json_t *json = json_pack("{s:o}", "node", content_json_encode_hex(ID_BYTES(*node)));
    if (json == NULL || entry == NULL)
        return json;
    struct member member;
    roster_member(roster, entry, &member);
    json_object_set_new(json, "name", content_json_encode_text(member.name));
    json_object_set_new(json, "country", json_stringn((const char *)member.country, 2));
    if (entry->state != MEMBER_ADMITTED)
        json_object_set_new(
            json, "state", json_string(entry->state == MEMBER_SUSPENDED ? "suspended" : "removed"));
    return json;
}

json_t *view_json_certificate(const struct runtime *runtime, const struct certificate *certificate)
{
    const struct certificate_request *request = &certificate->request;
    json_t *specialties = json_array();
    for (size_t i = 0; i < request->specialty_count; i++)
        json_array_append_new(specialties, content_json_encode_text(request->specialties[i]));
    json_t *json =
        json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "certificate",
                  content_json_encode_hex(ID_BYTES(certificate->cert_id)), "name",
                  content_json_encode_text(request->name), "credentials",
                  content_json_encode_text(request->credentials), "specialties", specialties,
                  "country", content_json_encode_text(request->country), "institution",
                  view_json_member(runtime, &request->node_id), "valid_from",
                  content_json_encode_time(certificate->issue.valid_from), "valid_until",
                  content_json_encode_time(certificate->issue.valid_until));
    if (json != NULL && request->licence.size > 0)
        json_object_set_new(json, "licence", content_json_encode_text(request->licence));
    return json;
}

json_t *view_json_clinician(struct runtime *runtime, const struct cert_id *cert_id)
{
    const struct clinician *clinician = engine_clinician(runtime_engine(runtime), cert_id);
    struct stored_record_memory *memory = clinician == NULL ? NULL : stored_record_memory_new();
    json_t *json = NULL;
    if (memory != NULL) {
        struct stored_record stored_record;
        struct certificate certificate;
        struct stream_id stream = {.scope = scope_federation(),
                                   .writer = clinician->node,
                                   .generation = (uint32_t)clinician->recorded.generation};
        if (stored_record_at(runtime_store(runtime), &stream, clinician->recorded.sequence, memory,
                             &stored_record) == OK &&
            stored_record.is_readable && stored_record.statement.kind == KIND_CERTIFICATE &&
            certificate_read(stored_record.statement.content, &certificate) == OK)
            json = view_json_certificate(runtime, &certificate);
        stored_record_memory_free(memory);
    }
    if (json != NULL && clinician->is_revoked)
        json_object_set_new(json, "revoked", json_true());
    return json != NULL
               ? json
               : json_pack("{s:o}", "certificate", content_json_encode_hex(ID_BYTES(*cert_id)));
}

/* Did this node hold the record before the one from whose position on the revocation counts? */
static bool view_json_came_before(struct runtime *runtime, const struct clinician *clinician,
                                  const struct stored_record *stored_record)
{
    struct stream_id stream = {.scope = scope_federation(),
                               .writer = clinician->node,
                               .generation = (uint32_t)clinician->revoked_from.generation};
    uint8_t *memory = malloc(STORE_RECORD_SIZE_MAX);
    struct store_record record;
    bool is_before = memory != NULL &&
                     record_table_get(runtime_store(runtime), &stream,
                                      clinician->revoked_from.sequence, memory, &record) == OK &&
                     stored_record->number < record.number;
    free(memory);
    return is_before;
}

/* A revocation counts from a position on. An opinion names the position at which it was signed. Any
 * other record is good if the requester, who takes in only what is covered, or this node held it
 * before. A time that the signer wrote proves nothing: the key may be stolen. */
static bool view_json_is_before(struct runtime *runtime, const struct clinician *clinician,
                                const struct stored_record *stored_record)
{
    struct opinion opinion;
    struct case_id case_id;
    const struct scope *scope = &stored_record->claim.header.stream.scope;
    if (stored_record_content(stored_record, KIND_OPINION, &opinion_table, &opinion)) {
        struct certificate_position at = {opinion.stream_head.generation,
                                          opinion.stream_head.sequence};
        return certificate_position_before(at, clinician->revoked_from);
    }
    memcpy(case_id.bytes, scope->id, sizeof case_id.bytes);
    const struct consult *consult =
        scope->kind == SCOPE_CASE ? runtime_case(runtime, &case_id) : NULL;
    return (consult != NULL && consult_taken_of(consult, &stored_record->claim.id) != NULL) ||
           view_json_came_before(runtime, clinician, stored_record);
}

const char *view_json_signature(struct runtime *runtime, const struct stored_record *stored_record)
{
    const struct engine *engine = runtime_engine(runtime);
    const struct statement *statement = &stored_record->statement;
    if (!stored_record->is_readable || !statement->is_signed)
        return "none";
    err failure = engine_check_statement(engine, &stored_record->claim.header, statement);
    if (failure == ERR_NOT_ENTITLED) { /* revoked by now */
        const struct clinician *clinician = engine_clinician(engine, &statement->author.cert_id);
        struct statement_place place = statement_place_of(&stored_record->claim.header);
        if (clinician == NULL || statement_verify(statement, &place, &clinician->key) != OK)
            return "bad";
        return view_json_is_before(runtime, clinician, stored_record) ? "good" : "revoked";
    }
    switch ((int)failure) {
    case OK:
        return "good";
    case ERR_NOT_FOUND:
        return "unknown certificate";
    case ERR_EXPIRED:
    case ERR_FUTURE:
        return "expired";
    default:
        return "bad";
    }
}

/* An announcement inside another content is shown with its fields. */
static json_t *view_json_inside(struct bytes content)
{
    struct announcement announcement;
    if (announcement_read(content, &announcement) != OK)
        return json_null();
    return content_json_encode(&announcement_table, &announcement);
}

static json_t *view_json_content(const struct stored_record *stored_record)
{
    const struct content_table *table = content_registry_table(stored_record->statement.kind);
    union content_registry_value *value = table == NULL ? NULL : malloc(sizeof *value);
    if (value == NULL || content_read(table, stored_record->statement.content, value) != OK) {
        free(value);
        return NULL;
    }
    json_t *json = content_json_encode(table, value);
    struct bytes inside = BYTES_NONE; /* borrows from the statement */
    if (stored_record->statement.kind == KIND_OPEN)
        inside = ((const struct case_record_open *)(const void *)value)->announcement;
    else if (stored_record->statement.kind == KIND_DIRECTED)
        inside = ((const struct mail_directed *)(const void *)value)->announcement;
    free(value);
    if (json != NULL && inside.size > 0)
        json_object_set_new(json, "announcement", view_json_inside(inside));
    return json;
}

json_t *view_json_delivery(struct runtime *runtime, const struct stored_record *stored_record)
{
    struct delivery_status reach = delivery_status_of(runtime, &stored_record->claim);
    return json_pack("{s:b,s:I,s:I}", "kept", 1, "reached", (json_int_t)reach.reached, "audience",
                     (json_int_t)reach.audience);
}

/* The institution that is given access or loses it, by name. */
static void view_json_granted(const struct runtime *runtime,
                              const struct stored_record *stored_record, json_t *json)
{
    struct case_record_grant grant;
    struct case_record_grant_end end;
    if (stored_record_content(stored_record, KIND_GRANT, &case_record_grant_table, &grant))
        json_object_set_new(json, "institution", view_json_member(runtime, &grant.participant));
    else if (stored_record_content(stored_record, KIND_GRANT_END, &case_record_grant_end_table,
                                   &end))
        json_object_set_new(json, "institution", view_json_member(runtime, &end.participant));
}

/* NULL: nothing speaks against its time. What was written after one from the future is not said to
 * be earlier than that one. */
static const char *view_json_time_doubt(struct runtime *runtime,
                                        const struct stored_record *stored_record)
{
    const struct record_header *header = &stored_record->claim.header;
    struct store_record before;
    struct record_claim claim;
    if ((stored_record->flags & RECORD_AHEAD) != 0)
        return "ahead";
    uint8_t *memory = header->sequence == 1 ? NULL : malloc(STORE_RECORD_SIZE_MAX);
    bool is_earlier = memory != NULL &&
                      record_table_get(runtime_store(runtime), &header->stream,
                                       header->sequence - 1, memory, &before) == OK &&
                      (before.flags & RECORD_AHEAD) == 0 &&
                      record_parse_again(before.head, &before.id, &claim) == OK &&
                      header->time.ms + CLOCK_SKEW_MS_MAX < claim.header.time.ms;
    free(memory);
    return is_earlier ? "earlier" : NULL;
}

json_t *view_json_record(struct runtime *runtime, const struct stored_record *stored_record)
{
    const struct record_header *header = &stored_record->claim.header;
    json_t *json = json_pack("{s:o,s:s,s:o,s:o,s:I}", "record",
                             content_json_encode_hex(ID_BYTES(stored_record->claim.id)), "kind",
                             stored_record->is_readable ? kind_name(stored_record->statement.kind)
                                                        : "unreadable",
                             "time", content_json_encode_time(header->time), "writer",
                             view_json_member(runtime, &header->stream.writer), "number",
                             (json_int_t)stored_record->number);
    if (json == NULL)
        return NULL;
    if (header->audience == AUDIENCE_REQUESTER)
        json_object_set_new(json, "audience", json_string("requester"));
    const char *time_doubt = view_json_time_doubt(runtime, stored_record);
    if (time_doubt != NULL)
        json_object_set_new(json, "time_doubt", json_string(time_doubt));
    if (ID_EQUAL(header->stream.writer, runtime_settings(runtime)->self))
        json_object_set_new(json, "delivery", view_json_delivery(runtime, stored_record));
    if (!stored_record->is_readable) {
        const char *why = (stored_record->flags & RECORD_DESTROYED) != 0 ? "erased"
                          : (stored_record->flags & RECORD_EXPIRED) != 0 ? "expired"
                          : (stored_record->flags & RECORD_MALFORMED) != 0
                              ? "malformed"
                              : "not readable here (yet)";
        json_object_set_new(json, "why", json_string(why));
        return json;
    }
    if (stored_record->statement.is_signed) {
        json_object_set_new(json, "clinician",
                            view_json_clinician(runtime, &stored_record->statement.author.cert_id));
        json_object_set_new(json, "signed_at",
                            content_json_encode_time(stored_record->statement.author.time));
    }
    json_object_set_new(json, "signature",
                        json_string(view_json_signature(runtime, stored_record)));
    if (stored_record->statement.kind == KIND_GRANT ||
        stored_record->statement.kind == KIND_GRANT_END)
        view_json_granted(runtime, stored_record, json);
    json_t *content = view_json_content(stored_record);
    if (content != NULL)
        json_object_set_new(json, "content", content);
    return json;
}
