#include "node/cli/present/render_metrics.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "node/cli/present/api_json.h"

/* What a metric is made of: the member `key` of the object `object` of a federation's status (NULL:
 * of the status itself). A list gives its length, a truth 0 or 1, an object 1. */
struct metric {
    const char *name; /* without the prefix */
    const char *type;
    const char *help;
    const char *object;
    const char *key;
};

static const struct metric metrics[] = {
    {"posting_waits", "gauge", "1 while no record can be written: see consilium status", NULL,
     "posting_waits"},
    {"standing_lost", "gauge", "1 while others accept nothing of this node: see consilium status",
     NULL, "standing"},
    {"keys_wait", "gauge", "1 while no key is given away: rosters were not yet compared", NULL,
     "keys_wait"},
    {"members", "gauge", "Institutions of the federation", NULL, "members"},
    {"members_connected", "gauge", "Institutions that are connected", NULL, "connected"},
    {"members_not_reached", "gauge", "Institutions that are dialed in vain", NULL, "not_reached"},
    {"members_equivocated", "gauge", "Institutions that signed two records at one position", NULL,
     "equivocated"},
    {"relays", "gauge", "Relays of the federation", NULL, "relays"},
    {"clocks_that_differ", "gauge", "Members whose clock differs from this machine's", NULL,
     "clocks_that_differ"},
    {"rosters_that_differ", "gauge", "Members that follow another roster", NULL,
     "rosters_that_differ"},
    {"roster_epoch", "gauge", "Number of the roster head in force", "head", "epoch"},
    {"roster_expired", "gauge", "1 when the roster is no longer valid", "head", "expired"},
    {"roster_behind", "gauge", "1 when a newer roster is known and not here", "head", "behind"},
    {"streams", "gauge", "Streams that are known", "streams", "known"},
    {"streams_behind", "gauge", "Streams of which records are missing", "streams", "behind"},
    {"streams_forked", "gauge", "Streams in which two records stand at one position", "streams",
     "forked"},
    {"records_missing", "gauge", "Records whose text or key is missing", "streams", "lacking"},
    {"records_lost", "gauge", "Records that the disk lost or that came altered", "streams", "lost"},
    {"records_refused_total", "counter", "Records refused since the start", "streams", "refused"},
    {"cases", "gauge", "Cases that are known", "streams", "cases"},
    {"mail_held", "gauge", "Sealed mail held for other members", "custody", "held"},
    {"mail_left", "gauge", "Mail of this node that other members hold", "custody", "left"},
    {"mail_leaving", "gauge", "Mail of this node still to be deposited", "custody", "leaving"},
    {"records", "gauge", "Records in the store", "disk", "records"},
    {"store_bytes", "gauge", "Bytes that records and rows use", "disk", "bytes"},
    {"store_quota_bytes", "gauge", "Bytes that records and rows may use", "disk", "quota"},
    {"items_bytes", "gauge", "Bytes reserved for files of cases", "disk", "item_bytes"},
    {"items_quota_bytes", "gauge", "Bytes that files of cases may use", "disk", "item_quota"},
    {"store_full", "gauge", "1 while the store takes nothing in", "disk", "full"},
    {"clinicians", "gauge", "Accounts of clinicians", NULL, "clinicians"},
};

static const struct metric metrics_times[] = {
    {"roster_expiry_timestamp_seconds", "gauge", "When the roster in force expires", "head",
     "valid_until"},
    {"backup_timestamp_seconds", "gauge", "When the last backup was made, 0 if none is known",
     "backup", "made"},
};

/* A label's value: backslash, quote and line end are escaped. */
static void metrics_label(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            (void)fputs("\\n", stdout);
        else if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else
            (void)putchar(*text);
    }
}

static void metrics_head(const char *name, const char *type, const char *help)
{
    printf("# HELP consilium_%s %s.\n# TYPE consilium_%s %s\n", name, help, name, type);
}

static void metrics_value(const char *name, const json_t *federation, long long value)
{
    printf("consilium_%s{federation=\"", name);
    metrics_label(api_json_text(federation, "name"));
    printf("\"} %lld\n", value);
}

static long long metrics_number(const json_t *value)
{
    return json_is_array(value)     ? (long long)json_array_size(value)
           : json_is_integer(value) ? (long long)json_integer_value(value)
                                    : json_is_true(value) || json_is_object(value);
}

static void metrics_one(const struct metric *metric, const json_t *federations)
{
    size_t index;
    json_t *federation;
    metrics_head(metric->name, metric->type, metric->help);
    json_array_foreach(federations, index, federation)
    {
        const json_t *object =
            metric->object == NULL ? federation : json_object_get(federation, metric->object);
        metrics_value(metric->name, federation,
                      metrics_number(json_object_get(object, metric->key)));
    }
}

static void metrics_relays(const json_t *federations)
{
    size_t index, place;
    json_t *federation, *relay;
    metrics_head("relays_connected", "gauge", "Relays that are connected");
    json_array_foreach(federations, index, federation)
    {
        long long count = 0;
        json_array_foreach(json_object_get(federation, "relays"), place, relay) count +=
            api_json_is(relay, "connected");
        metrics_value("relays_connected", federation, count);
    }
}

/* A time as the API spells it; 0: none. */
static long long metrics_seconds(const char *text)
{
    struct tm tm = {0};
    return strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) == NULL ? 0 : (long long)timegm(&tm);
}

static void metrics_time(const struct metric *metric, const json_t *federations)
{
    size_t index;
    json_t *federation;
    metrics_head(metric->name, metric->type, metric->help);
    json_array_foreach(federations, index, federation)
    {
        const json_t *object = json_object_get(federation, metric->object);
        metrics_value(metric->name, federation,
                      metrics_seconds(api_json_text(object, metric->key)));
    }
}

void render_metrics(const json_t *answer)
{
    const json_t *federations = json_object_get(answer, "federations");
    metrics_head("build_info", "gauge", "The version that runs");
    printf("consilium_build_info{version=\"");
    metrics_label(api_json_text(answer, "version"));
    printf("\"} 1\n");
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++)
        metrics_one(&metrics[i], federations);
    metrics_relays(federations);
    for (size_t i = 0; i < sizeof metrics_times / sizeof metrics_times[0]; i++)
        metrics_time(&metrics_times[i], federations);
}
