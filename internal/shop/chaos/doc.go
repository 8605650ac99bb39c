// Package chaos has only tests: they run the shop as programs of their own, break
// what can break, and then compare what the clients were told with the databases.
//
// CHAOS_SEED repeats the choices of a run, though not its timing, and
// CHAOS_ATTEMPTS says how many payments are attempted on each database.
//
// With MUTANTS=1 they also make mistakes in the programs, and look which tests find them.
package chaos
