/* A device on a host: wardlight-client FOLDER [--simulate] [--store FILE] [--speed N] */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "net.h"
#include "port.h"
#include "session.h"
#include "source.h"

/* How long a device that is switched off waits for the broker's last word. */
static const int64_t FAREWELL_MS = 2000;
/* A generator makes samples at least this often. */
static const int64_t SAMPLING_MS = 100;

static volatile sig_atomic_t stopping;

static void stop(int signal)
{
    (void)signal;
    stopping = 1;
}

struct options {
    const char *folder;
    const char *store;
    int64_t speed;
    bool simulates;
};

static bool read_options(int count, char **words, struct options *options)
{
    *options = (struct options){.speed = 1};
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "--simulate") == 0)
            options->simulates = true;
        else if (strcmp(words[i], "--store") == 0 && i + 1 < count)
            options->store = words[++i];
        else if (strcmp(words[i], "--speed") == 0 && i + 1 < count)
            options->speed = atoll(words[++i]);
        else if (options->folder == NULL && words[i][0] != '-')
            options->folder = words[i];
        else
            return false;
    }
    return options->folder != NULL && options->speed >= 1 && options->speed <= 1000;
}

static struct config config;
static struct device device;
static struct session session;

static int64_t next_wait(const struct source *source)
{
    int64_t running = clock_running(&device.clock);
    int64_t wait = (device_numerics_due(&device) - running) / device.clock.speed + 1;
    int64_t session_wait = session_due_in(&session);
    wait = wait < session_wait ? wait : session_wait;
    return source->simulates && wait > SAMPLING_MS ? SAMPLING_MS : wait;
}

static void run(struct source *source)
{
    while (!stopping) {
        device_follow(&device);
        source_step(source);
        session_step(&session);
        port_wait(net_socket(), net_wants_write(), next_wait(source));
    }
    device_report(&device, false);
    int64_t end = port_monotonic_ms() + FAREWELL_MS;
    while (session.state == SESSION_UP && !session_is_idle(&session) && port_monotonic_ms() < end) {
        session_step(&session);
        port_wait(net_socket(), net_wants_write(), SAMPLING_MS);
    }
    session_end(&session);
}

int main(int count, char **words)
{
    struct options options;
    if (!read_options(count, words, &options)) {
        port_log("usage: wardlight-client FOLDER [--simulate] [--store FILE] [--speed N]\n"
                 "FOLDER holds config.json and the files it names. Values are read from standard input, a line each\n"
                 "(147842 72), or made up with --simulate. What the broker has not confirmed is kept in FILE\n"
                 "(FOLDER/store.bin). With --speed N the device lives N times faster than the world, for tests.");
        return 2;
    }
    const char *fault = config_read(&config, options.folder);
    if (fault != NULL) {
        port_log("%s: %s", options.folder, fault);
        return 1;
    }
    char path[CONFIG_PATH + 16];
    snprintf(path, sizeof path, "%s/store.bin", options.folder);
    size_t size = device_store_size(&config);
    uint8_t *store = port_store(options.store ? options.store : path, &size);
    if (store == NULL || !device_start(&device, &config, store, size, options.speed)) {
        port_log("The store cannot be used, or another client uses it, or the waveforms are too many.");
        return 1;
    }
    session_start(&session, &device);
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    signal(SIGPIPE, SIG_IGN);
    struct source source = {.device = &device, .simulates = options.simulates};
    run(&source);
    printf("{\"boot\":%" PRIu32 ",\"seq\":%" PRIu32 ",\"numerics\":%" PRIu32 ",\"acknowledged\":%" PRIu32 ",\"lost\":%" PRIu32
           ",\"waves\":%" PRIu32 ",\"waves_lost\":%" PRIu32 ",\"connections\":%" PRIu32 "}\n",
           device.boot, device.seq, device.numerics, session.acknowledged, ring_lost(&device.ring), device.waves,
           device.waves_lost, session.connections);
    return 0;
}
