/* SPDX-License-Identifier: MIT */
#include "cmd/logging.h"

#include "platform/platform.h"

static enum log_level level_of_verbosity(const struct opts *opts)
{
    return opts->verbosity == 0 ? LOG_WARNING : opts->verbosity == 1 ? LOG_INFO : LOG_DEBUG;
}

void logging_start(struct log *log)
{
    *log = (struct log){.level = LOG_WARNING, .out = stderr, .clock = platform_clock(), .pid = platform_process_id()};
    log->start_ms = clock_mono_ms(log->clock);
}

static void open_file(struct log *log, const struct opts *opts, const struct config_log *config)
{
    struct platform_log *file = NULL;
    struct err err;

    if (platform_log_open(config->file, &file, &err) != ERR_OK) {
        log_line(log, LOG_WARNING, "%s, continuing without it", err.msg);
        if (*err.hint)
            log_line(log, LOG_INFO, "hint: %s", err.hint);
        return;
    }
    log->file = (struct log_file){.append = platform_log_append, .file = file};
    log->file_level = config->level;
    if (opts->verbosity > 0 && level_of_verbosity(opts) > log->file_level)
        log->file_level = level_of_verbosity(opts);
    if (log->level > LOG_WARNING)
        log->level = LOG_WARNING;
}

void logging_set_up(struct log *log, const struct opts *opts, const struct config_log *config)
{
    log->is_set_up = true;
    log->format = config->format;
    log->level = opts->quiet ? LOG_ERROR : level_of_verbosity(opts);
    if (config->file)
        open_file(log, opts, config);
    log_line(log, LOG_INFO, "acme-dme %s", PACKAGE_VERSION);
}

static const char *env_for_config(UNUSED void *ctx, const char *name)
{
    return platform_env(name);
}

void logging_set_up_early(struct log *log, const struct opts *opts)
{
    AUTO_CONFIG_LOG struct config_log config = {NULL, LOG_TEXT, LOG_INFO};
    const struct config_request request = {
        .overrides = opts->overrides,
        .override_count = opts->override_count,
        .env = env_for_config,
    };

    if (log->is_set_up)
        return;
    config_load_log(&request, &config);
    logging_set_up(log, opts, &config);
}

void logging_done(struct log *log)
{
    platform_log_free(log->file.file);
    log->file = (struct log_file){NULL, NULL};
}
