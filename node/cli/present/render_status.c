#include "node/cli/present/render_status.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "node/cli/present/api_json.h"
#include "node/cli/terminal/term.h"

static void status_pair(const char *label, const char *text)
{
    term_pair(2, label, 16, text);
}

static void status_peers(const json_t *answer)
{
    size_t index;
    json_t *peer;
    char line[256];
    const json_t *connected = json_object_get(answer, "connected");
    snprintf(line, sizeof line, "%lld in the federation, %zu connected",
             api_json_number(answer, "members"), json_array_size(connected));
    status_pair("members", line);
    json_array_foreach(connected, index, peer)
    {
        printf("%-16s", "");
        term_line(api_json_text(peer, "name"), 36);
        printf("  %s%s%s\n", api_json_text(peer, "way"),
               api_json_is(peer, "same_head") ? "" : ", ANOTHER ROSTER",
               api_json_is(peer, "clock_differs") ? ", CLOCK DIFFERS" : "");
    }
}

/* Who is dialed in vain, and why. */
static void status_not_reached(const json_t *answer)
{
    size_t index;
    json_t *member;
    json_array_foreach(json_object_get(answer, "not_reached"), index, member)
    {
        printf("%-16s", "");
        term_line(api_json_text(member, "name"), 36);
        printf("  NOT REACHED: %s\n", api_json_text(member, "why"));
    }
}

static void status_relays(const json_t *answer)
{
    size_t index;
    json_t *relay;
    const json_t *relays = json_object_get(answer, "relays");
    if (json_array_size(relays) == 0)
        status_pair("relays", "none is listed");
    json_array_foreach(relays, index, relay)
    {
        char line[256];
        const char *why = api_json_text(relay, "why");
        snprintf(line, sizeof line, "%.100s: %s%s%.100s", api_json_text(relay, "name"),
                 api_json_is(relay, "connected") ? "connected" : "NOT CONNECTED",
                 *why == '\0' ? "" : ", ", why);
        status_pair(index == 0 ? "relays" : "", line);
    }
}

static void status_roster(const json_t *answer)
{
    char line[256], until[32];
    const json_t *head = json_object_get(answer, "head");
    snprintf(until, sizeof until, "%.10s", api_json_text(head, "valid_until"));
    snprintf(line, sizeof line, "head %lld of %.10s, valid until %s%s%s",
             api_json_number(head, "epoch"), api_json_text(head, "issued"), until,
             api_json_is(head, "expired") ? ": EXPIRED; the society must sign a new one" : "",
             api_json_is(head, "behind") ? "; A NEWER ONE EXISTS and is being fetched" : "");
    status_pair("roster", line);
    if (json_is_object(json_object_get(head, "healing")))
        status_pair("", "A ROSTER HEAD THAT ENDS A SPLIT IS WAITING: ask two officers to read its "
                        "fingerprint out, then `consilium roster heal --fingerprint DIGITS`");
}

static void status_disk(const json_t *answer)
{
    char line[256], used[32], items[32];
    const json_t *disk = json_object_get(answer, "disk");
    const json_t *streams = json_object_get(answer, "streams");
    snprintf(used, sizeof used, "%s", term_size(api_json_number(disk, "bytes")));
    snprintf(line, sizeof line, "cases: %lld; records: %lld, %s of %s%s",
             api_json_number(streams, "cases"), api_json_number(disk, "records"), used,
             term_size(api_json_number(disk, "quota")), api_json_is(disk, "full") ? ": FULL" : "");
    status_pair("stored here", line);
    snprintf(items, sizeof items, "%s", term_size(api_json_number(disk, "item_bytes")));
    snprintf(line, sizeof line, "documents and images: %s of %s", items,
             term_size(api_json_number(disk, "item_quota")));
    status_pair("", line);
}

static void status_backup(const json_t *answer)
{
    char line[256];
    const json_t *backup = json_object_get(answer, "backup");
    long long days = api_json_number(backup, "age_days");
    if (!json_is_object(backup)) {
        status_pair("backup", "none is known: consiliumd(8), `backup`");
        return;
    }
    if (days < 1)
        snprintf(line, sizeof line, "made today; delete it by %.10s",
                 api_json_text(backup, "delete_by"));
    else
        snprintf(line, sizeof line, "%s old; delete it by %.10s%s", term_count(days, "day"),
                 api_json_text(backup, "delete_by"),
                 days >= 30 ? ": THAT DAY IS OVER; make a new one" : "");
    status_pair("backup", line);
}

/* Only problems. */
static void status_troubles(const json_t *answer)
{
    static const struct {
        const char *name;
        const char *word;
        const char *says;
    } troubles[] = {
        {"behind", "stream", "incomplete: the missing records are being fetched"},
        {"lacking", "record", "missing: other members are asked for it"},
        {"lost", "record",
         "LOST (by the disk, or altered by who passed it on: the log says which): other members "
         "are asked for it"},
        {"lost_own", "record",
         "of this institution lost: only another member that has it can restore it"},
        {"forked", "stream",
         "FORKED: its writer sent two versions, or was restored from an old backup"},
        {"refused", "record", "refused since the start"},
    };
    const json_t *streams = json_object_get(answer, "streams");
    char line[256];
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
        if (api_json_number(streams, troubles[i].name) == 0)
            continue;
        snprintf(line, sizeof line, "%s %s",
                 term_count(api_json_number(streams, troubles[i].name), troubles[i].word),
                 troubles[i].says);
        status_pair("attention", line);
    }
    if (api_json_number(answer, "clocks_that_differ") > 0) {
        snprintf(line, sizeof line, "the clock of %s differs from this machine's",
                 term_count(api_json_number(answer, "clocks_that_differ"), "member"));
        status_pair("attention", line);
    }
    if (api_json_is(answer, "keys_wait"))
        status_pair("attention",
                    "no keys are handed out yet: members or relays must be heard first");
}

/* Who sends signatures that are not those of the writers that it names. */
static void status_forgers(const json_t *answer)
{
    size_t index;
    json_t *forger;
    char line[512];
    json_array_foreach(json_object_get(answer, "forgers"), index, forger)
    {
        const char *until = api_json_text(forger, "refused_until");
        snprintf(line, sizeof line, "%.200s sent %s; its link is %s%.16s; ask its administrator",
                 api_json_text(forger, "name"),
                 term_count(api_json_number(forger, "forged"), "forged signature"),
                 until[0] == '\0' ? "kept, and checked slowly" : "cut, and refused until ", until);
        status_pair("FORGER", line);
    }
}

/* Before anything else: others accept nothing of this institution. */
static void status_standing(const json_t *standing)
{
    char line[512], word[32];
    if (!json_is_object(standing))
        return;
    snprintf(word, sizeof word, "%.30s", api_json_text(standing, "state"));
    for (char *at = word; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    snprintf(line, sizeof line, "%s: %s.", word, api_json_text(standing, "message"));
    term_text(line, 0);
    snprintf(line, sizeof line, "What to do: %s.", api_json_text(standing, "hint"));
    term_text(line, 0);
    putchar('\n');
}

void render_status_all(const json_t *answer)
{
    size_t index;
    json_t *one;
    const json_t *all = json_object_get(answer, "federations");
    if (json_array_size(all) == 0)
        term_text("This node is in no federation yet; the administrator joins one with `consiliumd "
                  "join`.",
                  0);
    json_array_foreach(all, index, one)
    {
        if (index > 0)
            printf("\n--\n\n");
        render_status(one);
    }
}

void render_status(const json_t *answer)
{
    const json_t *self = json_object_get(answer, "institution");
    const json_t *standing = json_object_get(answer, "standing");
    char line[512];
    status_standing(standing);
    term_text(api_json_text(self, "name"), 0);
    snprintf(line, sizeof line, "in %s (%s)", api_json_text(answer, "title"),
             api_json_text(answer, "name"));
    term_text(line, 0);
    putchar('\n');
    if (json_is_object(standing))
        status_pair("posting", "REFUSED, see above");
    else if (api_json_is(answer, "posting_waits"))
        status_pair("POSTING WAITS", api_json_text(answer, "why"));
    else
        status_pair("posting", "sent at once");
    status_peers(answer);
    status_not_reached(answer);
    status_relays(answer);
    status_roster(answer);
    status_disk(answer);
    status_backup(answer);
    status_troubles(answer);
    status_forgers(answer);
    snprintf(line, sizeof line, "%lld with an account here", api_json_number(answer, "clinicians"));
    status_pair("clinicians", line);
    printf("\n  node          %s\n  head and federation (compare all digits):\n  %s\n  %s\n",
           api_json_text(self, "node"), api_json_text(json_object_get(answer, "head"), "id"),
           api_json_text(answer, "federation"));
    printf("\nNO REAL PATIENTS YET. Not for emergencies: telephone.\n");
}
