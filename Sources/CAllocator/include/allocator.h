#pragma once

/// Keeps large freed blocks for the next ones instead of giving them back to the system, which hands memory out page by page:
/// for a process through which arrays of many megabytes stream. Does nothing but under glibc.
void ptoken_reuse_large_blocks(void);
