#include "node/api/api_status.h"

#include <stdlib.h>
#include <string.h>

#include "node/api/api_call.h"
#include "node/backup/backup_manifest.h"
#include "node/links/links.h"
#include "node/roster_sync/roster_sync.h"
#include "node/views/content_json_encode.h"
#include "node/views/standing.h"
#include "node/views/view_json.h"

static json_t *api_head(const struct api_federation *federation)
{
    const struct roster *roster = runtime_roster(federation->runtime);
    const struct roster_head *head = roster_current_head(roster);
    if (head == NULL)
        return json_null();
    struct head_id split_recovery;
    uint64_t healing_epoch = 0;
    bool waits = roster_sync_healing(runtime_roster_sync(federation->runtime), &split_recovery,
                                     &healing_epoch);
    return json_pack("{s:I,s:o,s:o,s:o,s:b,s:b,s:I,s:o}", "epoch", (json_int_t)head->epoch, "id",
                     content_json_encode_hex(ID_BYTES(roster_current_id(roster))), "issued",
                     content_json_encode_time(head->issued), "valid_until",
                     content_json_encode_time(head->valid_until), "expired",
                     (int)roster_expired(roster, runtime_wall()), "behind",
                     (int)roster_is_behind(roster), "refused",
                     (json_int_t)roster_sync_refused(runtime_roster_sync(federation->runtime)),
                     "healing",
                     waits ? json_pack("{s:I,s:o}", "epoch", (json_int_t)healing_epoch, "id",
                                       content_json_encode_hex(ID_BYTES(split_recovery)))
                           : json_null());
}

static const char *api_way_name(enum links_way route)
{
    switch (route) {
    case LINKS_NONE:
        return "none";
    case LINKS_DIRECT:
        return "direct";
    case LINKS_BOXED:
        return "relayed";
    }
    return "none";
}

enum links_way api_status_way(const struct api_federation *federation, const struct node_id *node)
{
    return federation->links == NULL ? LINKS_NONE : links_way(federation->links, node, NULL);
}

static const char api_split_words[] =
    "it follows another roster than this node: no keys are sent to it; ask the society's officers";

static json_t *api_peers(const struct api_federation *federation)
{
    json_t *list = json_array();
    struct engine_peer peer;
    for (uint32_t i = 0; engine_peer(runtime_engine(federation->runtime), i, &peer); i++) {
        json_t *json = view_json_member(federation->runtime, &peer.node);
        enum links_way route = api_status_way(federation, &peer.node);
        json_object_set_new(json, "way", json_string(api_way_name(route)));
        json_object_set_new(json, "epoch", json_integer((json_int_t)peer.epoch));
        json_object_set_new(json, "same_head", json_boolean(peer.is_same_head));
        if (peer.is_split)
            json_object_set_new(json, "roster", json_string(api_split_words));
        json_object_set_new(json, "clock_differs", json_boolean(peer.is_skewed));
        json_object_set_new(json, "forged", json_integer((json_int_t)peer.forged_count));
        json_array_append_new(list, json);
    }
    return list;
}

/* Members that sent forged signatures since the start, connected or not. */
static json_t *api_forgers(const struct api_federation *federation)
{
    json_t *list = json_array();
    struct engine_forger forger;
    for (uint32_t i = 0; engine_forger(runtime_engine(federation->runtime), i, &forger); i++) {
        json_t *json = view_json_member(federation->runtime, &forger.node);
        struct wall until = {runtime_wall().ms + forger.refused_ms};
        json_object_set_new(json, "forged", json_integer((json_int_t)forger.count));
        json_object_set_new(json, "cut", json_integer((json_int_t)forger.cut_count));
        json_object_set_new(json, "refused_until",
                            forger.refused_ms == 0 ? json_null() : content_json_encode_time(until));
        json_array_append_new(list, json);
    }
    return list;
}

/* NULL: the clock stops nothing. */
static json_t *api_clock_in_doubt(const struct clock_view *clock)
{
    long long minutes = llabs((long long)clock->ahead_ms) / (60 * 1000);
    switch (clock->state) {
    case CLOCK_UNCHECKED:
    case CLOCK_AGREES:
    case CLOCK_ONE_DIFFERS:
        break;
    case CLOCK_CONTRADICTED:
        return json_sprintf("this machine's clock is %lld minutes %s those of most members: set it "
                            "right",
                            minutes, clock->ahead_ms > 0 ? "ahead of" : "behind");
    case CLOCK_BEHIND_HEAD:
        return json_sprintf("this machine's clock is %lld minutes behind the signing of the "
                            "roster: set it right; if it is right, wait until two members are "
                            "connected",
                            minutes);
    case CLOCK_BEHIND_RECORD:
        return json_sprintf("this machine's clock is %lld minutes behind the last record that it "
                            "wrote: set it right; if it is right, wait until two members are "
                            "connected",
                            minutes);
    }
    return NULL;
}

/* Why a post would wait now: the clock first, because a person must correct it. */
static json_t *api_waiting(const struct api_federation *federation,
                           const struct engine_status *status)
{
    if (!status->posting_waits)
        return json_null();
    json_t *clock = api_clock_in_doubt(engine_clock(runtime_engine(federation->runtime)));
    if (clock != NULL)
        return clock;
    if (status->disk_full)
        return json_string("the disk is full: free space, or raise the quota");
    if (roster_is_behind(runtime_roster(federation->runtime)))
        return json_string("a newer roster is known, but its content has not arrived");
    if (!engine_is_proven(runtime_engine(federation->runtime)))
        return json_string("this store may be an older copy: two other members (all, if there are "
                           "fewer) must be connected and tell what this node wrote last");
    return json_string(
        "roster heads were not yet compared with a relay or two members since the start");
}

static json_t *api_disk(const struct api_federation *federation, const struct engine_status *status)
{
    struct store_usage usage;
    if (store_usage(runtime_store(federation->runtime), &usage) != OK)
        return json_null();
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:b}", "records", (json_int_t)usage.record_count,
                     "bytes", (json_int_t)usage.bytes, "quota", (json_int_t)usage.quota,
                     "item_bytes", (json_int_t)usage.item_bytes, "item_quota",
                     (json_int_t)usage.item_quota, "full", (int)(usage.full || status->disk_full));
}

static json_t *api_streams(const struct engine_status *status)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "known", (json_int_t)status->stream_count,
                     "behind", (json_int_t)status->behind_count, "lacking",
                     (json_int_t)status->missing_count, "lost", (json_int_t)status->lost_count,
                     "lost_own", (json_int_t)status->lost_own_count, "forked",
                     (json_int_t)status->forked_count, "cases", (json_int_t)status->case_count,
                     "refused", (json_int_t)status->refused);
}

/* Mail for offline members: others', and ours. */
static json_t *api_custody(const struct engine_status *status)
{
    return json_pack("{s:I,s:I,s:I}", "held", (json_int_t)status->held_count, "left",
                     (json_int_t)status->left_count, "leaving", (json_int_t)status->leaving_count);
}

/* Members that equivocated and that the officers have not decided about. */
static json_t *api_frozen(const struct api_federation *federation)
{
    json_t *list = json_array();
    const struct roster *roster = runtime_roster(federation->runtime);
    for (uint32_t i = 0; i < roster_count(roster); i++) {
        const struct node_id *node = &roster_at(roster, i)->node_id;
        if (engine_is_frozen(runtime_engine(federation->runtime), node))
            json_array_append_new(list, view_json_member(federation->runtime, node));
    }
    return list;
}

/* Why it is not connected, and when it is tried again. */
static void api_tries(json_t *json, const struct links_tries *tries)
{
    json_object_set_new(json, "last_try", content_json_encode_time(tries->last));
    json_object_set_new(json, "last_success", content_json_encode_time(tries->last_success));
    json_object_set_new(json, "next_try", content_json_encode_time(tries->next));
    json_object_set_new(json, "why", tries->why == NULL ? json_null() : json_string(tries->why));
}

/* Members that are dialed in vain and reached by no other way. */
static json_t *api_not_reached(const struct api_federation *federation)
{
    json_t *list = json_array();
    struct links_tries tries;
    struct node_id node;
    for (uint32_t i = 0;
         federation->links != NULL && links_member_tries(federation->links, i, &node, &tries);
         i++) {
        if (tries.why == NULL || api_status_way(federation, &node) != LINKS_NONE)
            continue;
        json_t *json = view_json_member(federation->runtime, &node);
        api_tries(json, &tries);
        json_array_append_new(list, json);
    }
    return list;
}

static json_t *api_relays(const struct api_federation *federation)
{
    json_t *list = json_array();
    const struct roster *roster = runtime_roster(federation->runtime);
    struct links_relay relay;
    for (uint32_t i = 0; federation->links != NULL && links_relay(federation->links, i, &relay);
         i++) {
        const struct settings_relay *said = roster_relay(roster, &relay.key);
        json_t *json =
            json_pack("{s:o,s:b,s:I}", "key", content_json_encode_hex(ID_BYTES(relay.key)),
                      "connected", (int)relay.is_up, "epoch", (json_int_t)relay.epoch);
        if (said != NULL) {
            json_object_set_new(json, "name", content_json_encode_text(said->name));
            json_object_set_new(json, "endpoint", content_json_encode_text(said->endpoint));
        }
        api_tries(json, &relay.tries);
        json_array_append_new(list, json);
    }
    return list;
}

/* The last backup that was made of this data directory, or that it was put back from. */
static json_t *api_backup(const struct api *api)
{
    struct wall made_at;
    if (!backup_last_read(api->config.data, &made_at))
        return json_null();
    const struct wall delete_by = {made_at.ms +
                                   (uint64_t)BACKUP_AGE_DAYS_MAX * 24 * 60 * 60 * 1000};
    return json_pack("{s:o,s:I,s:o}", "made", content_json_encode_time(made_at), "age_days",
                     (json_int_t)backup_age_days(made_at, runtime_wall()), "delete_by",
                     content_json_encode_time(delete_by));
}

static json_t *api_status(const struct api_federation *federation)
{
    struct engine_status status;
    const struct roster *roster = runtime_roster(federation->runtime);
    const struct runtime_config *settings = runtime_settings(federation->runtime);
    engine_status(runtime_engine(federation->runtime), &status);
    const struct settings *said = roster_settings(roster);
    return json_pack(
        "{s:o,s:s,s:o,s:o,s:o,s:o,s:I,s:o,s:o,s:o,s:o,s:I,s:I,s:o,s:o,s:b,s:o,s:b,s:o,s:o,s:I,s:o}",
        "standing", standing_json(federation->runtime), "name", federation->name, "title",
        said == NULL ? json_null() : content_json_encode_text(said->name), "federation",
        content_json_encode_hex(ID_BYTES(settings->federation)), "institution",
        view_json_member(federation->runtime, &settings->self), "head", api_head(federation),
        "members", (json_int_t)roster_count(roster), "connected", api_peers(federation),
        "not_reached", api_not_reached(federation), "relays", api_relays(federation), "streams",
        api_streams(&status), "clocks_that_differ", (json_int_t)status.skewed_count,
        "rosters_that_differ", (json_int_t)status.split_count, "equivocated",
        api_frozen(federation), "forgers", api_forgers(federation), "posting_waits",
        (int)status.posting_waits, "why", api_waiting(federation, &status), "keys_wait",
        (int)status.keys_wait, "disk", api_disk(federation, &status), "custody",
        api_custody(&status), "clinicians",
        (json_int_t)account_count(federation->service->accounts), "backup",
        api_backup(federation->api));
}

/* API-1: what people must know before anything else. */
json_t *api_status_node(struct api *api)
{
    json_t *list = json_array();
    for (size_t i = 0; i < api->federation_count; i++)
        json_array_append_new(list, api_status(&api->federations[i]));
    return json_pack("{s:s,s:[s,s],s:o}", "version", CONSILIUM_VERSION, "notices",
                     "no real patients yet: text and images are not de-identified",
                     "not for emergencies: call", "federations", list);
}

static void api_get_status(struct api_call *call)
{
    api_call_answer(call, api_status(call->federation));
}

static void api_get_relays(struct api_call *call)
{
    api_call_answer(call, json_pack("{s:o}", "relays", api_relays(call->federation)));
}

const struct api_route api_status_routes[] = {
    {HTTP_GET, "status", 0, api_get_status},
    {HTTP_GET, "relays", 0, api_get_relays},
    {HTTP_GET, "", 0, NULL},
};
