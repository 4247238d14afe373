#include "bootstrap/relay/relay_metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/relay/relay_status.h"

struct relay_metric {
    const char *key; /* of the status */
    const char *name;
    const char *type;
    const char *help;
};

static const struct relay_metric relay_metrics[] = {
    {"uptime_s", "uptime_seconds", "gauge", "Time since the start"},
    {"epoch", "roster_epoch", "gauge", "Number of the roster head in force"},
    {"listed", "members_listed", "gauge", "Members that the signed list names"},
    {"links", "links", "gauge", "Members that are connected"},
    {"sessions", "sessions", "gauge", "Sessions between members"},
    {"queued_bytes", "queued_bytes", "gauge", "Bytes that wait for a member"},
    {"queued_bytes_max", "queued_peak_bytes", "gauge", "The most bytes that ever waited"},
    {"frames_in", "frames_in_total", "counter", "Frames that came"},
    {"frames_forwarded", "frames_forwarded_total", "counter", "Frames passed on"},
    {"bytes_forwarded", "forwarded_bytes_total", "counter", "Bytes passed on"},
    {"answers_gone", "answers_gone_total", "counter", "Answers that a member is not here"},
    {"answers_busy", "answers_busy_total", "counter", "Answers that a member takes no more now"},
    {"answers_limited", "answers_limited_total", "counter", "Answers that a member asked too much"},
    {"frames_malformed", "frames_malformed_total", "counter", "Frames that were malformed"},
    {"links_refused", "links_refused_total", "counter", "Connections of members that were refused"},
    {"handshakes_refused", "handshakes_refused_total", "counter", "Handshakes that were refused"},
    {"lists_taken", "lists_taken_total", "counter", "Lists of members that were taken"},
    {"memory_reserved", "memory_reserved_bytes", "gauge", "Memory that may be used under load"},
};

/* Finds `key=` at the beginning of a line; NULL: there is none. */
static const char *relay_metrics_find(const char *text, const char *key)
{
    size_t size = strlen(key);
    for (const char *line = text; line != NULL && *line != '\0';) {
        if (strncmp(line, key, size) == 0 && line[size] == '=')
            return line + size + 1;
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    return NULL;
}

static void relay_metrics_one(FILE *out, const struct relay_metric *metric, uint64_t value)
{
    (void)fprintf(out,
                  "# HELP consilium_relay_%s %s.\n# TYPE consilium_relay_%s %s\n"
                  "consilium_relay_%s %" PRIu64 "\n",
                  metric->name, metric->help, metric->name, metric->type, metric->name, value);
}

static void relay_metrics_write(FILE *out, const char *text, bool is_up)
{
    static const struct relay_metric up = {NULL, "up", "gauge", "1 while the relay answers"};
    static const struct relay_metric expiry = {NULL, "roster_expiry_timestamp_seconds", "gauge",
                                               "When the roster in force expires"};
    relay_metrics_one(out, &up, is_up);
    for (size_t i = 0; i < sizeof relay_metrics / sizeof relay_metrics[0]; i++) {
        const char *value = relay_metrics_find(text, relay_metrics[i].key);
        if (value != NULL)
            relay_metrics_one(out, &relay_metrics[i], strtoull(value, NULL, 10));
    }
    const char *until = relay_metrics_find(text, "head_valid_until_ms");
    if (until != NULL)
        relay_metrics_one(out, &expiry, strtoull(until, NULL, 10) / 1000);
}

err relay_metrics_show(const char *directory, FILE *out)
{
    char *text = NULL;
    size_t size = 0;
    FILE *status = open_memstream(&text, &size);
    if (status == NULL)
        return ERR_NO_MEMORY;
    err failure = relay_status_show(directory, status);
    if (fclose(status) != 0 && failure == OK)
        failure = ERR_NO_MEMORY;
    if (text != NULL)
        relay_metrics_write(out, text, failure == OK);
    free(text);
    return failure;
}
