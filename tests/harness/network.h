/* Three hospitals in one process: real runtimes, real stores in a folder of their own, real
 * statements; only the wires between them are the test's. Asserts by cmocka.
 *
 * A wire takes frames into a queue and hands them over when the loop turns, so nothing is called
 * back from within a send. */
#ifndef CONSILIUM_TESTS_HARNESS_NETWORK_H
#define CONSILIUM_TESTS_HARNESS_NETWORK_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/audit/audit_check.h"
#include "node/driver/driver.h"
#include "node/items/items.h"
#include "node/os/log.h"
#include "node/roster_sync/roster_sync.h"
#include "protocol/contents/announcement.h"
#include "protocol/contents/content_registry.h"
#include "protocol/contents/mail.h"
#include "protocol/contents/opinion.h"
#include "store/record_table.h"
#include "store/row_table.h"
#include "tests/harness/federation.h"

enum {
    NETWORK_HOUSE_COUNT = 3,
    NETWORK_WIRE_COUNT = 16,
    NETWORK_PATIENCE_MS = 60 * 1000,
    NETWORK_CONTENT_MAX = 60000,
};

struct network;

struct network_frame {
    struct network_frame *next;
    size_t size;
    uint8_t data[];
};

/* One direction of a wire. */
struct network_lane {
    struct network_frame *first;
    struct network_frame **end;
    size_t count;
};

struct network_house {
    struct network *network;
    uint32_t number;
    struct node_id node;
    struct transport_key transport;
    uint8_t sign_secret[64];
    uint8_t clinician_secret[64];
    uint8_t store_key[32];
    struct cert_id cert_id;
    char data[128];
    struct driver *driver;
    struct runtime *runtime; /* the driver's */
    struct items *items;
    unsigned told[0x500]; /* news by kind */
    unsigned hung_up;
};

struct network_wire {
    bool is_up;
    struct network_house *ends[2];
    struct link_id links[2];      /* as each end knows it */
    struct network_lane lanes[2]; /* to each end */
};

struct network {
    char folder[64];
    uint64_t founded_ms;
    uv_loop_t loop;
    uv_timer_t beat; /* so that a turn of the loop never waits long */
    struct workers *workers;
    struct federation society;
    struct network_house houses[NETWORK_HOUSE_COUNT];
    struct network_wire wires[NETWORK_WIRE_COUNT];
    uint32_t link_last;
    size_t lane_max; /* frames that a lane takes; 0: no bound */
    bool grants_by_hand;
    uint64_t survey_ms;
    bool has_markers; /* beside the houses' stores */
    /* looks at, alters or loses (false) a frame on its way; NULL: none */
    bool (*on_frame)(void *arg, const struct network_house *from, const struct network_house *to,
                     struct network_frame *frame);
    void *arg;
};

/* ---- wires ---- */

/* Takes a wire down, with all frames on it. */
void network_cut_wire(struct network_wire *wire);

/* Connects two houses. */
void network_connect(struct network *network, int a, int b);

/* Takes down all wires between two houses. */
void network_cut(struct network *network, int a, int b);

/* ---- time ---- */

/* Delivers what lies on the wires, and turns the loop once. */
void network_turn(struct network *network);

/* Turns the loop until `is_so`. False when the patience is over. */
bool network_until(struct network *network, bool (*is_so)(void *arg), void *arg);

/* Checks the house's audit log to its end; gives the verdict. */
struct audit_verdict network_audit(struct network *network, int which);

/* Lets so much real time pass: for what must not happen. */
void network_pass(struct network *network, uint64_t ms);

/* ---- houses ---- */

/* Opens the house's store and runtime. */
void network_open(struct network *network, int which);

/* Closes the house's runtime and store, and cuts its wires. */
void network_shut(struct network *network, int which);

/* Flips a bit in what lies in a table of the house's store under a record's number; the house is
 * shut. */
void network_spoil(const struct network_house *house, const char *table, size_t number);

/* Puts the roster into the house's store, as taking an invitation does. */
void network_admit(struct network *network, int which);

/* Founds the federation at this time. */
void network_found(struct network *network, uint64_t founded_ms);

/* All houses open and nobody connected. `folder` NULL: founded now; else what an earlier process
 * left there, which founded it at the same time. */
struct network *network_new_at(const char *folder, uint64_t founded_ms);

/* Makes a network that was founded ten hours ago, with nobody connected. */
struct network *network_new(void);

/* Removes one file or folder, for nftw. */
int network_remove(const char *path, const struct stat *status, int kind, struct FTW *place);

/* Closes all houses and removes their folder. */
void network_free(struct network *network);

/* ---- writing ---- */

struct network_posted {
    bool is_done;
    struct runtime_done done;
};

/* Notes what became of a post; `arg` is a struct network_posted. */
void network_on_posted(void *arg, const struct runtime_done *done);

/* For network_until: was the post of the struct network_posted answered? */
bool network_is_posted(void *arg);

/* Begins to write a record; `posted` must live until it is answered. */
void network_begin(struct network_house *house, const struct scope *scope, uint16_t kind,
                   const void *value, struct network_posted *posted);

/* Writes a record, and waits until it is durable. */
struct record_id network_write(struct network_house *house, const struct scope *scope,
                               uint16_t kind, const void *value);

/* ---- a case ---- */

struct network_case {
    struct case_id id;
    struct scope scope;
    struct case_record_opening opening;
    struct record_id announcement;
};

/* Makes the announcement of this case. */
struct announcement network_announcement(const struct case_id *case_id);

/* `house` opens a case and announces it on the board. */
struct network_case network_ask(struct network_house *house, uint8_t seed);

/* `house` asks to join the case. */
struct record_id network_join(struct network_house *house, const struct network_house *asker,
                              const struct network_case *one);

struct network_access {
    const struct network_house *house; /* whose view */
    const struct network_house *about;
    const struct case_id *case_id;
};

/* Does `house` know that `about` has access to the case? */
bool network_has_access(void *arg);

/* `house` joins and, when this returns, knows that it was granted. */
void network_take_part(struct network_house *house, struct network_house *asker,
                       const struct network_case *one);

/* All houses certified and connected with each other. */
struct network *network_new_in_touch(void);

/* Does `house` hold the record? */
struct network_sought {
    const struct network_house *house;
    struct record_id id;
};

/* For network_until: does the house of the struct network_sought hold the record? */
bool network_holds(void *arg);

/* Waits until the house `to` holds the record. */
bool network_spreads(struct network *network, int to, const struct record_id *id);

#endif
