/* imgsearch help, imgsearch complete: printed from the tables of options. */
#include "cli/context/context.h"
#include "cli/option/completion.h"
#include "cli/option/help.h"
#include "cli/option/man.h"

#include <stdio.h>

typedef struct help_args {
	common_args common;
	uint32_t man;
	const char *pages;
} help_args;

static const option help_options[] = {
	{ "man", 0, OPT_FLAG, offsetof(help_args, man), .help = "write the man page, for man -l -" },
	{ "man-pages", 0, OPT_FILE, offsetof(help_args, pages), "DIR",
		.help = "write the man pages of all commands into a folder" },
	OPT_END,
};

static int help_run(context *c, void *args)
{
	char name[64];
	const help_args *a = args;
	if (a->pages)
		return man_write_pages(a->pages, c->commands) ? CLI_DONE : CLI_FAILED;
	if (!c->n_operands) {
		(a->man ? man_write : help_all)(stdout, c->commands);
		return CLI_DONE;
	}
	snprintf(name, sizeof name, c->n_operands > 1 ? "%s %s" : "%s", c->operand[0],
		c->n_operands > 1 ? c->operand[1] : "");
	if (!a->man && help_below(stdout, c->commands, name))
		return CLI_DONE;
	const command *about = command_find(c->commands, name);
	if (!about)
		return CLI_USAGE;
	(a->man ? man_write_command : help_command)(stdout, about);
	return CLI_DONE;
}

const command cmd_help = {
	.name = "help",
	.operands = "[COMMAND]",
	.summary = "show help for a command",
	.text = "Shows what a command does and which options it has. Without COMMAND: "
			"lists the commands.",
	.options = help_options,
	.args_size = sizeof(help_args),
	.run = help_run,
	.max_operands = 2,
};

static const option complete_options[] = { OPT_END };
static const char *const shells[] = { "bash", "zsh", "fish", NULL };

static int complete_run(context *c, void *args)
{
	(void)args;
	if (!completion_write(stdout, c->commands, c->operand[0]))
		return command_usage(c->command, "no completions for \"%s\"; there are bash, zsh, fish",
			c->operand[0]);
	return CLI_DONE;
}

const command cmd_complete = {
	.name = "complete",
	.operands = "bash|zsh|fish",
	.summary = "write the completions for a shell",
	.text = "Writes the completions for a shell to standard output. make install puts them "
			"where the shells look; by hand:\n\n"
			"\timgsearch complete bash > ~/.local/share/bash-completion/completions/imgsearch\n"
			"\timgsearch complete fish > ~/.config/fish/completions/imgsearch.fish",
	.options = complete_options,
	.args_size = sizeof(common_args),
	.run = complete_run,
	.min_operands = 1,
	.max_operands = 1,
	.words = shells,
};
