/* The society: founds the federation, changes the roster, and brings heads to hospitals. */
#ifndef CONSILIUM_TESTS_SIM_SOCIETY_H
#define CONSILIUM_TESTS_SIM_SOCIETY_H

#include "tests/sim/world.h"

void society_found(struct world *world, uint32_t admitted);
void society_end(struct world *world);
/* Puts the member as it is to be into the next head, signs it, and tells every hospital that it
 * can reach within a second. */
void society_change(struct world *world, const struct member *member);
/* A suspended member, with cuts where the others hold its streams to. */
void society_remove(struct world *world, uint32_t index);
/* Setting 8: whether members may keep mail for each other. */
void society_allow_custody(struct world *world, bool is_allowed);
/* The same again, so that the roster does not expire. */
void society_renew(struct world *world);
/* Member `index` as the last head has it; its spans borrow from the society's roster. */
struct member society_member(const struct world *world, uint32_t index);
/* One who is to be admitted at `epoch`. */
struct member society_newcomer(uint32_t index, uint64_t epoch);
struct transport_key society_transport_key(uint32_t index, uint8_t ret_secret[static KEY_SIZE]);
struct transport_key society_relay_key(uint32_t index);
/* Brings a hospital to the head of `epoch`. */
void society_teach(struct hospital *hospital, uint64_t epoch);
/* A peer asks for heads: what its shell would answer. */
void society_frame(struct hospital *hospital, const struct effect *effect);

#endif
