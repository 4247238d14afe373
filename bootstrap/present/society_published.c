#include "bootstrap/present/society_published.h"

#include <inttypes.h>
#include <stdio.h>

#include "bootstrap/directory/society_pending.h"
#include "bootstrap/present/society_json.h"
#include "bootstrap/terminal/terminal.h"

const char *society_published_advice(enum hub_reason reason)
{
    switch (reason) {
    case HUB_NO_NAME:
    case HUB_UNREACHABLE:
    case HUB_TIMED_OUT:
    case HUB_SILENT:
    case HUB_DISCONNECTED:
        return "ask its operator whether it runs (`consilium-relay --status`), and check that its "
               "port can be reached from this machine";
    case HUB_REFUSED:
        return "ask its operator to set `federation` and `publisher` to what `show` prints";
    case HUB_BAD_PEER:
        return "compare the key's fingerprint with its operator again, then `relay add` the right "
               "key";
    case HUB_REPLACED:
    case HUB_DISALLOWED:
    case HUB_VIOLATION:
    case HUB_CLOSED:
    case HUB_MOVED:
        break;
    }
    return NULL;
}

static json_t *published_json(const struct society *society,
                              const struct society_published *published)
{
    struct head_id tip = roster_current_id(&society->roster);
    json_t *relays = json_array();
    for (uint32_t i = 0; i < published->relay_count; i++) {
        const struct society_published_relay *relay = &published->relays[i];
        society_json_append(&relays, json_pack("{s:o, s:o, s:b, s:s}", "name",
                                               society_json_text(relay->listed->name), "key",
                                               society_json_hex(ID_BYTES(relay->listed->key)),
                                               "holds", relay->holds, "outcome", relay->outcome));
    }
    return json_pack("{s:I, s:o, s:o, s:I, s:I}", "epoch",
                     (json_int_t)roster_current_head(&society->roster)->epoch, "head",
                     society_json_hex(ID_BYTES(tip)), "relays", relays, "connected",
                     (json_int_t)published->connected, "reached", (json_int_t)published->reached);
}

static void published_relay(const struct society_published_relay *relay)
{
    printf("relay %.*s: %s\n", TERMINAL_TEXT(relay->listed->name), relay->outcome);
    if (relay->holds)
        return;
    printf("  its address is %.*s\n", TERMINAL_TEXT(relay->listed->endpoint));
    if (relay->advice != NULL)
        printf("  %s\n", relay->advice);
}

int society_published_report(const struct society *society,
                             const struct society_published *published, bool as_json)
{
    uint32_t holding = 0;
    if (as_json && society_json_print(published_json(society, published)) != 0)
        return 1;
    for (uint32_t i = 0; i < published->relay_count; i++) {
        holding += published->relays[i].holds;
        if (!as_json)
            published_relay(&published->relays[i]);
    }
    if (!as_json)
        printf("%u of %u relays hold the head of epoch %" PRIu64
               "; %u of %u connected members have "
               "it.\nOther members get it from these.\n",
               holding, published->relay_count, roster_current_head(&society->roster)->epoch,
               published->reached, published->connected);
    if (holding == published->relay_count)
        return 0;
    return terminal_error(
        "not every relay holds the head; repeat `publish` when the others can be reached");
}

void society_published_warn(const struct society *society)
{
    if (society->pending.exists)
        terminal_warning(
            "the head of epoch %" PRIu64
            " is pending with %u of %u signatures; this command publishes the head before it",
            society->pending.head.epoch, society->pending.signature_count,
            society_pending_needed(society));
}
