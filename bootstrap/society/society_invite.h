/* The file that an admitted institution gets: invitation.h. */
#ifndef CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_INVITE_H
#define CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_INVITE_H

#include "bootstrap/society/society_folder.h"
#include "bootstrap/society/society_options.h"

/* Command: exit status. */
int society_invite_member(const struct society_options *options);

/* The epochs of the heads from the founding one to the last, following `previous`, so that what a
 * healing left behind is not among them. `ret_epochs` holds chain.count of them; returns how many,
 * 0 (and said) when a head cannot be read. */
uint32_t society_invite_epochs(const struct society *society, uint64_t *ret_epochs);

#endif
