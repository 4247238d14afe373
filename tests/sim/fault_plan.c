#include "tests/sim/fault_plan.h"

#include <string.h>

#include "tests/sim/adversary.h"
#include "tests/sim/held_mail.h"
#include "tests/sim/hospital.h"
#include "tests/sim/line.h"
#include "tests/sim/oracle.h"
#include "tests/sim/relay.h"

static void fault_plan_clock(struct hospital *hospital)
{
    struct prng *prng = &hospital->world->prng;
    int64_t most = prng_of(prng, 20) ? (int64_t)HOUR_MS : (int64_t)(4 * MINUTE_MS);
    hospital->skew_ms = (int64_t)prng_below(prng, 2 * (uint64_t)most) - most;
}

static void fault_plan_disk(struct hospital *hospital)
{
    struct disk *disk = &hospital->disk;
    disk->refuse_percent = 0;
    disk->is_full = false;
    if (prng_of(&hospital->world->prng, 50))
        disk->is_full = true;
    else if (prng_of(&hospital->world->prng, 50))
        disk->refuse_percent = (unsigned)prng_below(&hospital->world->prng, 60);
}

static void fault_plan_at_hospital(struct hospital *hospital)
{
    struct world *world = hospital->world;
    switch (prng_below(&world->prng, 9)) {
    case 0:
        if (hospital->is_running)
            hospital_crash(hospital);
        break;
    case 1:
        world->side[hospital->index] = (uint8_t)prng_below(&world->prng, 2);
        line_part(world);
        break;
    case 2:
        fault_plan_disk(hospital);
        break;
    case 3:
        world->drop_percent = (unsigned)prng_below(&world->prng, 300);
        break;
    case 4:
        line_cut_hospital(hospital);
        relay_cut_hospital(hospital);
        break;
    case 5:
        fault_plan_clock(hospital);
        break;
    case 6:
        hospital->is_closed = prng_of(&world->prng, 60);
        line_cut_hospital(hospital);
        break;
    default:
        if (!hospital->is_running && !hospital->is_away)
            hospital_boot(hospital);
        break;
    }
}

static void fault_plan_at_relay(struct relay *relay, struct hospital *hospital)
{
    struct prng *prng = &relay->world->prng;
    switch (prng_below(prng, 7)) {
    case 0:
        if (relay->is_running)
            relay_crash(relay);
        break;
    case 1:
        relay_drain(relay, 1000);
        break;
    case 2:
        relay->malice = (unsigned)prng_below(prng, 2 * ADVERSARY_STARVES);
        relay->malice_percent = (unsigned)prng_below(prng, 100);
        break;
    case 3:
        relay->malice = 0;
        break;
    case 4:
        relay_stick(hospital, relay->index, prng_below(prng, 20 * SECOND_MS));
        break;
    case 5:
        relay->cut_from = prng_next(prng);
        relay_cut(hospital, relay->index);
        break;
    default:
        if (relay->is_running)
            relay_crash(relay);
        relay_boot(relay);
        break;
    }
}

void fault_plan_strike(struct world *world)
{
    struct hospital *hospital = &world->hospitals[prng_below(&world->prng, world->count)];
    if (hospital->is_puppet)
        return;
    if (world->relay_count > 0 && prng_of(&world->prng, 25))
        fault_plan_at_relay(&world->relays[prng_below(&world->prng, world->relay_count)], hospital);
    else
        fault_plan_at_hospital(hospital);
}

void fault_plan_heal(struct world *world)
{
    memset(world->side, 0, sizeof world->side);
    world->drop_percent = 0;
    for (uint32_t i = 0; i < world->relay_count; i++) {
        struct relay *relay = &world->relays[i];
        relay->malice = 0;
        relay->cut_from = 0;
        if (relay->is_running)
            relay_crash(relay); /* it may be draining */
        relay_boot(relay);
    }
    for (uint32_t i = 0; i < world->count; i++) {
        struct hospital *hospital = &world->hospitals[i];
        hospital->disk.is_full = false;
        hospital->disk.refuse_percent = 0;
        hospital->skew_ms = 0;
        hospital->is_away = false;
        if (!hospital->is_running)
            hospital_boot(hospital);
    }
}

void fault_plan_back_up(struct hospital *hospital)
{
    disk_free(&hospital->backup);
    disk_copy(&hospital->disk, &hospital->backup);
    held_mail_back_up(hospital);
}

void fault_plan_put_back(struct hospital *hospital)
{
    if (hospital->backup.count == 0)
        return;
    if (hospital->is_running)
        hospital_crash(hospital);
    disk_free(&hospital->disk);
    disk_copy(&hospital->backup, &hospital->disk);
    held_mail_put_back(hospital);
    oracle_forgive(hospital);
    hospital->is_put_back = hospital->was_put_back = true;
    hospital_boot(hospital);
}
