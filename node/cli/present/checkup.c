#include "node/cli/present/checkup.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "node/cli/present/api_json.h"
#include "node/cli/terminal/term.h"

enum {
    CHECKUP_ROSTER_DAYS = 60, /* the society needs so long to gather its officers */
    CHECKUP_BACKUP_DAYS = 7,
    CHECKUP_BACKUP_DAYS_MAX = 30, /* then it must be deleted */
    CHECKUP_FULL_PERCENT = 80,
    CHECKUP_TEXT_SIZE = 400,
};

/* ---- one check ---- */

struct checkup {
    json_t *checks;
    const char *federation; /* NULL: of the machine */
};

static void checkup_add(const struct checkup *checkup, const char *check, const char *state,
                        const char *says, const char *what_to_do)
{
    json_array_append_new(checkup->checks, json_pack("{s:s*,s:s,s:s,s:s,s:s*}", "federation",
                                                     checkup->federation, "check", check, "state",
                                                     state, "says", says, "do", what_to_do));
}

static void checkup_ok(const struct checkup *checkup, const char *check, const char *says)
{
    checkup_add(checkup, check, "ok", says, NULL);
}

static void checkup_warn(const struct checkup *checkup, const char *check, const char *says,
                         const char *what_to_do)
{
    checkup_add(checkup, check, "warning", says, what_to_do);
}

static void checkup_fault(const struct checkup *checkup, const char *check, const char *says,
                          const char *what_to_do)
{
    checkup_add(checkup, check, "fault", says, what_to_do);
}

static void checkup_format(char text[static CHECKUP_TEXT_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void checkup_format(char text[static CHECKUP_TEXT_SIZE], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, CHECKUP_TEXT_SIZE, format, arguments);
    va_end(arguments);
}

/* ---- of one federation ---- */

static void checkup_writing(const struct checkup *checkup, const json_t *status)
{
    const json_t *standing = json_object_get(status, "standing");
    if (json_is_object(standing))
        checkup_fault(checkup, "writing", api_json_text(standing, "message"),
                      api_json_text(standing, "hint"));
    else if (api_json_is(status, "posting_waits"))
        checkup_fault(checkup, "writing", api_json_text(status, "why"),
                      "what is posted is kept and sent when this has ended");
    else
        checkup_ok(checkup, "writing", "records are sent at once");
}

static long long checkup_days_until(const char *date, time_t now)
{
    struct tm parts = {0};
    if (strptime(date, "%Y-%m-%d", &parts) == NULL)
        return 0;
    return ((long long)timegm(&parts) - (long long)now) / (24 * 3600);
}

static void checkup_roster(const struct checkup *checkup, const json_t *status, time_t now)
{
    char text[CHECKUP_TEXT_SIZE];
    const json_t *head = json_object_get(status, "head");
    const char *until = api_json_text(head, "valid_until");
    long long days = checkup_days_until(until, now);
    if (json_is_object(json_object_get(head, "healing"))) {
        checkup_fault(checkup, "roster", "the society signed a repair of the split roster",
                      "have two officers read its fingerprint out, then run `consilium roster "
                      "heal --fingerprint DIGITS`");
    } else if (api_json_is(head, "expired")) {
        checkup_format(text, "the roster expired on %.10s", until);
        checkup_fault(checkup, "roster", text, "call the society: it must sign a new one");
    } else if (api_json_is(head, "behind")) {
        checkup_warn(checkup, "roster", "a newer roster exists and is being downloaded",
                     "wait; if this stays, see the relays below");
    } else if (days < CHECKUP_ROSTER_DAYS) {
        checkup_format(text, "the roster expires in %s, on %.10s", term_count(days, "day"), until);
        checkup_warn(checkup, "roster", text, "remind the society to sign a new one");
    } else {
        checkup_format(text, "valid until %.10s", until);
        checkup_ok(checkup, "roster", text);
    }
}

/* By the reasons of node/net/hub.h. */
static const char *checkup_advice(const char *why)
{
    static const struct {
        const char *part;
        const char *what_to_do;
    } advice[] = {
        {"name", "check the DNS server of this machine: `getent hosts` with the host's name"},
        {"listens", "ask its operator whether it runs; check that the firewall lets TCP out to "
                    "its port"},
        {"key", "compare fingerprints with the society by telephone"},
        {"long", "check the firewall: it may drop the packets, or cut idle connections"},
    };
    for (size_t i = 0; i < sizeof advice / sizeof advice[0]; i++) {
        if (strstr(why, advice[i].part) != NULL)
            return advice[i].what_to_do;
    }
    return "check that the firewall lets TCP out to its port; the log says more";
}

/* "relay-1 (tcp://...): refused; next try 09:30" */
static void checkup_unreached(char text[static CHECKUP_TEXT_SIZE], const json_t *peer)
{
    const char *why = api_json_text(peer, "why"), *next = api_json_text(peer, "next_try");
    const char *endpoint = api_json_text(peer, "endpoint");
    checkup_format(text, "%.80s%s%.80s: %.120s%s%.16s", api_json_text(peer, "name"),
                   endpoint[0] == '\0' ? "" : ", ", endpoint,
                   why[0] == '\0' ? "not connected yet" : why, next[0] == '\0' ? "" : "; next try ",
                   next[0] == '\0' ? "" : term_time(next));
}

static void checkup_relays(const struct checkup *checkup, const json_t *status)
{
    const json_t *relays = json_object_get(status, "relays");
    size_t index, up_count = 0;
    json_t *relay;
    char text[CHECKUP_TEXT_SIZE];
    json_array_foreach(relays, index, relay) up_count += api_json_is(relay, "connected");
    json_array_foreach(relays, index, relay)
    {
        if (api_json_is(relay, "connected"))
            continue;
        checkup_unreached(text, relay);
        checkup_add(checkup, "relay", up_count == 0 ? "fault" : "warning", text,
                    checkup_advice(api_json_text(relay, "why")));
    }
    checkup_format(text, "%zu of %s connected", up_count,
                   term_count((long long)json_array_size(relays), "relay"));
    if (up_count > 0)
        checkup_ok(checkup, "relays", text);
}

static void checkup_members(const struct checkup *checkup, const json_t *status)
{
    const json_t *connected = json_object_get(status, "connected");
    long long members = api_json_number(status, "members");
    size_t index;
    json_t *member;
    char text[CHECKUP_TEXT_SIZE];
    json_array_foreach(json_object_get(status, "not_reached"), index, member)
    {
        checkup_unreached(text, member);
        checkup_warn(checkup, "member", text, checkup_advice(api_json_text(member, "why")));
    }
    checkup_format(text, "%zu of %lld others connected", json_array_size(connected), members - 1);
    if (members > 1 && json_array_size(connected) == 0)
        checkup_warn(checkup, "members", text,
                     "nothing arrives or leaves until one is; see the relays above");
    else
        checkup_ok(checkup, "members", text);
}

static void checkup_clock(const struct checkup *checkup, const json_t *status)
{
    long long count = api_json_number(status, "clocks_that_differ");
    char text[CHECKUP_TEXT_SIZE];
    checkup_format(text, "the clock of %s differs from this machine's",
                   term_count(count, "connected member"));
    if (count > 0)
        checkup_warn(checkup, "clocks", text,
                     "compare this machine's clock with a telephone's; if it is right, tell "
                     "that member (`consilium status` names it)");
}

static void checkup_room(const struct checkup *checkup, const char *check, long long used,
                         long long quota)
{
    char text[CHECKUP_TEXT_SIZE], of[32];
    snprintf(of, sizeof of, "%s", term_size(quota));
    checkup_format(text, "%s of %s used", term_size(used), of);
    if (quota > 0 && used * 100 >= quota * CHECKUP_FULL_PERCENT)
        checkup_warn(checkup, check, text, "raise `quota` in consiliumd.conf, or add disk space");
    else
        checkup_ok(checkup, check, text);
}

static void checkup_disk(const struct checkup *checkup, const json_t *status)
{
    const json_t *disk = json_object_get(status, "disk");
    const json_t *streams = json_object_get(status, "streams");
    char text[CHECKUP_TEXT_SIZE];
    if (api_json_is(disk, "full"))
        checkup_fault(checkup, "disk", "the disk, or the quota, is full",
                      "free space, or raise `quota` in consiliumd.conf");
    else
        checkup_room(checkup, "disk", api_json_number(disk, "bytes"),
                     api_json_number(disk, "quota"));
    checkup_room(checkup, "documents", api_json_number(disk, "item_bytes"),
                 api_json_number(disk, "item_quota"));
    if (api_json_number(streams, "lost_own") > 0) {
        checkup_format(text, "%s of this institution lost",
                       term_count(api_json_number(streams, "lost_own"), "record"));
        checkup_fault(checkup, "records", text,
                      "check the disk (dmesg, SMART); only another member that has it, or a "
                      "backup, can restore it");
    } else if (api_json_number(streams, "lost") > 0) {
        checkup_format(text, "%s damaged; other members are asked for good copies",
                       term_count(api_json_number(streams, "lost"), "record"));
        checkup_warn(checkup, "records", text, "check the disk (dmesg, SMART)");
    }
}

static void checkup_backup(const struct checkup *checkup, const json_t *status)
{
    const json_t *backup = json_object_get(status, "backup");
    long long days = api_json_number(backup, "age_days");
    char text[CHECKUP_TEXT_SIZE];
    checkup_format(text, "the last is %s old", term_count(days, "day"));
    if (!json_is_object(backup))
        checkup_warn(checkup, "backup", "none is known",
                     "run `consiliumd backup`; see consiliumd(8)");
    else if (days >= CHECKUP_BACKUP_DAYS_MAX)
        checkup_warn(checkup, "backup", text,
                     "delete it: what was erased since is still in it. Make a new one with "
                     "`consiliumd backup`");
    else if (days >= CHECKUP_BACKUP_DAYS)
        checkup_warn(checkup, "backup", text, "make a new one with `consiliumd backup`");
    else
        checkup_ok(checkup, "backup", text);
}

static void checkup_clinicians(const struct checkup *checkup, const json_t *status)
{
    char text[CHECKUP_TEXT_SIZE];
    long long count = api_json_number(status, "clinicians");
    checkup_format(text, "%s here", term_count(count, "account"));
    if (count == 0)
        checkup_warn(checkup, "clinicians", text,
                     "nobody can sign: an administrator runs `consilium clinician create`");
    else
        checkup_ok(checkup, "clinicians", text);
}

/* ---- all of it ---- */

static void checkup_machine_clock(const struct checkup *checkup, enum kernel_clock clock)
{
    switch (clock) {
    case KERNEL_CLOCK_UNKNOWN:
        checkup_ok(checkup, "clock", "the kernel does not tell whether its clock is synchronised");
        return;
    case KERNEL_CLOCK_SYNCHRONISED:
        checkup_ok(checkup, "clock", "synchronised");
        return;
    case KERNEL_CLOCK_FREE:
        checkup_warn(checkup, "clock", "nothing synchronises this machine's clock",
                     "enable systemd-timesyncd or chrony");
        return;
    }
}

json_t *checkup_of(const json_t *status, const struct checkup_machine *machine)
{
    struct checkup checkup = {.checks = json_array()};
    const json_t *all = json_object_get(status, "federations");
    size_t index;
    json_t *one;
    checkup_machine_clock(&checkup, machine->clock);
    if (json_array_size(all) == 0)
        checkup_warn(&checkup, "federation", "this node is in no federation yet",
                     "take the society's invitation: `consiliumd join`");
    json_array_foreach(all, index, one)
    {
        checkup.federation = api_json_text(one, "name");
        checkup_writing(&checkup, one);
        checkup_roster(&checkup, one, machine->now);
        checkup_relays(&checkup, one);
        checkup_members(&checkup, one);
        checkup_clock(&checkup, one);
        checkup_disk(&checkup, one);
        checkup_backup(&checkup, one);
        checkup_clinicians(&checkup, one);
    }
    return checkup.checks;
}

bool checkup_has_fault(const json_t *checks)
{
    size_t index;
    json_t *check;
    json_array_foreach(checks, index, check)
    {
        if (api_json_equals(check, "state", "fault"))
            return true;
    }
    return false;
}

void checkup_render(const json_t *checks)
{
    size_t index, fault_count = 0, warning_count = 0;
    json_t *check;
    const char *federation = "";
    json_array_foreach(checks, index, check)
    {
        char lead[40];
        const char *in = api_json_text(check, "federation");
        const char *what_to_do = api_json_text(check, "do");
        bool is_fault = api_json_equals(check, "state", "fault");
        bool is_warning = api_json_equals(check, "state", "warning");
        fault_count += is_fault;
        warning_count += is_warning;
        if (strcmp(in, federation) != 0)
            printf("\nIn the federation %s:\n", in);
        federation = in;
        snprintf(lead, sizeof lead, "%-8s  %-12s",
                 is_fault     ? "FAULT"
                 : is_warning ? "warning"
                              : "ok",
                 api_json_text(check, "check"));
        term_pair(0, lead, 24, api_json_text(check, "says"));
        if (what_to_do[0] != '\0')
            term_pair(22, "> ", 24, what_to_do);
    }
    printf("\n%s, %s.\n", term_count((long long)fault_count, "fault"),
           term_count((long long)warning_count, "warning"));
}
