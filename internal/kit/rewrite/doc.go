// Package rewrite replaces addresses and paths of a cluster by those of this
// machine, in the variables and arguments of a program. It works on text only:
// [Rules] say what is where.
package rewrite
