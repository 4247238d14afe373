#include "node/desk/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/desk/form.h"
#include "node/desk/reach.h"
#include "protocol/consult/announcement.h"
#include "protocol/consult/caserecord.h"
#include "protocol/consult/mail.h"
#include "protocol/consult/opinion.h"
#include "store/record_table.h"

void show_boards(const struct shell *shell, char ret_list[static SHOW_BOARDS_SIZE])
{
    const struct settings *settings = roster_settings(shell_roster(shell));
    size_t size = 0;
    ret_list[0] = '\0';
    for (uint32_t i = 0; settings != NULL && i < settings->board_count; i++) {
        struct bytes tag = settings->boards[i].tag;
        bool has_room = size + tag.size + 8 < SHOW_BOARDS_SIZE;
        size += (size_t)snprintf(ret_list + size, SHOW_BOARDS_SIZE - size, "%s%.*s",
                                 i == 0 ? "" : ", ", has_room ? (int)tag.size : 3,
                                 has_room ? (const char *)tag.data : "...");
        if (!has_room)
            break;
    }
}

json_t *show_member(const struct shell *shell, const struct node_id *node)
{
    const struct roster *roster = shell_roster(shell);
    const struct roster_entry *entry = roster_find(roster, node);
    json_t *json = json_pack("{s:o}", "node", form_show_hex(ID_BYTES(*node)));
    if (json == NULL || entry == NULL)
        return json;
    struct member member;
    roster_member(roster, entry, &member);
    json_object_set_new(json, "name", form_show_text(member.name));
    json_object_set_new(json, "country", json_stringn((const char *)member.country, 2));
    if (entry->state != MEMBER_ADMITTED)
        json_object_set_new(
            json, "state", json_string(entry->state == MEMBER_SUSPENDED ? "suspended" : "removed"));
    return json;
}

json_t *show_certificate(const struct shell *shell, const struct certificate *certificate)
{
    const struct certificate_request *request = &certificate->request;
    json_t *specialties = json_array();
    for (size_t i = 0; i < request->specialty_count; i++)
        json_array_append_new(specialties, form_show_text(request->specialties[i]));
    json_t *json = json_pack(
        "{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "certificate",
        form_show_hex(ID_BYTES(certificate->cert_id)), "name", form_show_text(request->name),
        "credentials", form_show_text(request->credentials), "specialties", specialties, "country",
        form_show_text(request->country), "institution", show_member(shell, &request->node_id),
        "valid_from", form_show_time(certificate->issue.valid_from), "valid_until",
        form_show_time(certificate->issue.valid_until));
    if (json != NULL && request->licence.size > 0)
        json_object_set_new(json, "licence", form_show_text(request->licence));
    return json;
}

json_t *show_clinician(struct shell *shell, const struct cert_id *cert_id)
{
    const struct clinician *clinician = core_clinician(shell_core(shell), cert_id);
    struct readout_memory *memory = clinician == NULL ? NULL : readout_memory_new();
    json_t *json = NULL;
    if (memory != NULL) {
        struct readout readout;
        struct certificate certificate;
        struct stream_id stream = {.scope = scope_federation(),
                                   .writer = clinician->node,
                                   .generation = (uint32_t)clinician->recorded.generation};
        if (readout_at(shell_store(shell), &stream, clinician->recorded.sequence, memory,
                       &readout) == OK &&
            readout.is_readable && readout.statement.kind == KIND_CERTIFICATE &&
            certificate_read(readout.statement.content, &certificate) == OK)
            json = show_certificate(shell, &certificate);
        readout_memory_free(memory);
    }
    if (json != NULL && clinician->is_revoked)
        json_object_set_new(json, "revoked", json_true());
    return json != NULL ? json
                        : json_pack("{s:o}", "certificate", form_show_hex(ID_BYTES(*cert_id)));
}

/* Did this node hold the record before the one that stands where the revocation begins to bite? */
static bool show_came_before(struct shell *shell, const struct clinician *clinician,
                             const struct readout *readout)
{
    struct stream_id stream = {.scope = scope_federation(),
                               .writer = clinician->node,
                               .generation = (uint32_t)clinician->revoked_from.generation};
    uint8_t *memory = malloc(STORE_RECORD_SIZE_MAX);
    struct store_record record;
    bool is_before = memory != NULL &&
                     record_table_get(shell_store(shell), &stream, clinician->revoked_from.sequence,
                                      memory, &record) == OK &&
                     readout->number < record.number;
    free(memory);
    return is_before;
}

/* A revocation bites from a position on. An opinion names the one at which it was signed; of what
 * names none it counts who held it before: the requester, who takes in only what is covered, or
 * this node. A time that the signer wrote proves nothing: the key may be a thief's. */
static bool show_is_before(struct shell *shell, const struct clinician *clinician,
                           const struct readout *readout)
{
    struct opinion opinion;
    struct case_id case_id;
    const struct scope *scope = &readout->claim.header.stream.scope;
    if (readout_content(readout, KIND_OPINION, &opinion_table, &opinion)) {
        struct certificate_position at = {opinion.stream_head.generation,
                                          opinion.stream_head.sequence};
        return certificate_position_before(at, clinician->revoked_from);
    }
    memcpy(case_id.bytes, scope->id, sizeof case_id.bytes);
    const struct consult *consult = scope->kind == SCOPE_CASE ? shell_case(shell, &case_id) : NULL;
    return (consult != NULL && consult_taken_of(consult, &readout->claim.id) != NULL) ||
           show_came_before(shell, clinician, readout);
}

const char *show_signature(struct shell *shell, const struct readout *readout)
{
    const struct core *core = shell_core(shell);
    const struct statement *statement = &readout->statement;
    if (!readout->is_readable || !statement->is_signed)
        return "none";
    err failure = core_check_statement(core, &readout->claim.header, statement);
    if (failure == ERR_NOT_ENTITLED) { /* revoked by now */
        const struct clinician *clinician = core_clinician(core, &statement->author.cert_id);
        struct statement_place place = statement_place_of(&readout->claim.header);
        if (clinician == NULL || statement_verify(statement, &place, &clinician->key) != OK)
            return "bad";
        return show_is_before(shell, clinician, readout) ? "good" : "revoked";
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

/* An announcement inside another content is shown as what it is. */
static json_t *show_inside(struct bytes content)
{
    struct announcement announcement;
    if (announcement_read(content, &announcement) != OK)
        return json_null();
    return form_show(&announcement_table, &announcement);
}

static json_t *show_content(const struct readout *readout)
{
    const struct content_table *table = vocabulary_table(readout->statement.kind);
    static union vocabulary_value value; /* one loop, one thread */
    if (table == NULL || content_read(table, readout->statement.content, &value) != OK)
        return NULL;
    json_t *json = form_show(table, &value);
    struct bytes inside = BYTES_NONE;
    if (readout->statement.kind == KIND_OPEN)
        inside = ((const struct caserecord_open *)(const void *)&value)->announcement;
    else if (readout->statement.kind == KIND_DIRECTED)
        inside = ((const struct mail_directed *)(const void *)&value)->announcement;
    if (json != NULL && inside.size > 0)
        json_object_set_new(json, "announcement", show_inside(inside));
    return json;
}

json_t *show_delivery(struct shell *shell, const struct readout *readout)
{
    struct reach reach = reach_of(shell, &readout->claim);
    return json_pack("{s:b,s:I,s:I}", "kept", 1, "reached", (json_int_t)reach.reached, "audience",
                     (json_int_t)reach.audience);
}

/* Who was given access, or loses it, by name. */
static void show_granted(const struct shell *shell, const struct readout *readout, json_t *json)
{
    struct caserecord_grant grant;
    struct caserecord_grant_end end;
    if (readout_content(readout, KIND_GRANT, &caserecord_grant_table, &grant))
        json_object_set_new(json, "institution", show_member(shell, &grant.participant));
    else if (readout_content(readout, KIND_GRANT_END, &caserecord_grant_end_table, &end))
        json_object_set_new(json, "institution", show_member(shell, &end.participant));
}

json_t *show_record(struct shell *shell, const struct readout *readout)
{
    const struct record_header *header = &readout->claim.header;
    json_t *json = json_pack(
        "{s:o,s:s,s:o,s:o,s:I}", "record", form_show_hex(ID_BYTES(readout->claim.id)), "kind",
        readout->is_readable ? kind_name(readout->statement.kind) : "unreadable", "time",
        form_show_time(header->time), "writer", show_member(shell, &header->stream.writer),
        "number", (json_int_t)readout->number);
    if (json == NULL)
        return NULL;
    if (header->audience == AUDIENCE_REQUESTER)
        json_object_set_new(json, "audience", json_string("requester"));
    if (ID_EQUAL(header->stream.writer, shell_settings(shell)->self))
        json_object_set_new(json, "delivery", show_delivery(shell, readout));
    if (!readout->is_readable) {
        const char *why = (readout->flags & RECORD_DESTROYED) != 0   ? "erased"
                          : (readout->flags & RECORD_EXPIRED) != 0   ? "expired"
                          : (readout->flags & RECORD_MALFORMED) != 0 ? "malformed"
                                                                     : "not readable here (yet)";
        json_object_set_new(json, "why", json_string(why));
        return json;
    }
    if (readout->statement.is_signed) {
        json_object_set_new(json, "clinician",
                            show_clinician(shell, &readout->statement.author.cert_id));
        json_object_set_new(json, "signed_at", form_show_time(readout->statement.author.time));
    }
    json_object_set_new(json, "signature", json_string(show_signature(shell, readout)));
    if (readout->statement.kind == KIND_GRANT || readout->statement.kind == KIND_GRANT_END)
        show_granted(shell, readout, json);
    json_t *content = show_content(readout);
    if (content != NULL)
        json_object_set_new(json, "content", content);
    return json;
}
