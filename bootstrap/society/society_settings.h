/* The commands that change settings: boards, relays, publishers, times and counts. */
#ifndef CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_SETTINGS_H
#define CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_SETTINGS_H

#include "bootstrap/society/society_options.h"
#include "protocol/member/settings.h"

/* Commands: exit statuses. */
int society_settings_change(const struct society_options *options);
int society_settings_board_add(const struct society_options *options);
int society_settings_board_remove(const struct society_options *options);
int society_settings_relay_add(const struct society_options *options);
int society_settings_relay_remove(const struct society_options *options);
int society_settings_publisher_add(const struct society_options *options);
int society_settings_publisher_remove(const struct society_options *options);
int society_settings_renew(const struct society_options *options);
int society_settings_discard(const struct society_options *options);

/* Adds `TAG=NAME`; borrows it. False after an error message. */
bool society_settings_add_board(struct settings *settings, const char *board);

/* Sets what the options give. False after an error message. */
bool society_settings_from_options(struct settings *settings,
                                   const struct society_options *options);

#endif
