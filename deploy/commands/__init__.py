"""The subcommands of ``gossamer``, a file each: ``add`` declares the options, ``run`` returns the exit code."""
