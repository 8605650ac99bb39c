package chaos

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// change is one mistake in a source file: a part of its text is replaced.
type change struct {
	kind       string
	line       int
	start, end int // of the part that is replaced
	with       string
}

// apply returns the source with the mistake.
func (c change) apply(src []byte) []byte {
	return slices.Concat(src[:c.start], []byte(c.with), src[c.end:])
}

// diff shows the lines that the change concerns, before and after it.
func (c change) diff(src []byte) string {
	first := strings.LastIndexByte(string(src[:c.start]), '\n') + 1
	rest := len(src)
	if n := strings.IndexByte(string(src[c.end:]), '\n'); n >= 0 {
		rest = c.end + n
	}
	before, after := string(src[first:rest]), string(src[first:c.start])+c.with+string(src[c.end:rest])
	return "- " + strings.ReplaceAll(before, "\n", "\n- ") + "\n+ " + strings.ReplaceAll(after, "\n", "\n+ ")
}

// mutator collects changes of a file that make it wrong, and most of which compile.
type mutator struct {
	fset  *token.FileSet
	src   []byte
	found []change
}

// mutate returns the changes of a Go source file, in the order of the file.
func mutate(name string, src []byte) ([]change, error) {
	m := &mutator{fset: token.NewFileSet(), src: src}
	file, err := parser.ParseFile(m.fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("mutate %s: %w", name, err)
	}
	for _, declared := range file.Decls {
		if f, ok := declared.(*ast.FuncDecl); ok && f.Body != nil {
			m.function(f.Type, f.Body)
		}
	}
	slices.SortStableFunc(m.found, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end))
	})
	return m.found, nil
}

func (m *mutator) add(kind string, n ast.Node, with string) {
	m.found = append(m.found, change{kind, m.fset.Position(n.Pos()).Line, m.offset(n.Pos()), m.offset(n.End()), with})
}

func (m *mutator) offset(p token.Pos) int { return m.fset.Position(p).Offset }

func (m *mutator) text(n ast.Node) string { return string(m.src[m.offset(n.Pos()):m.offset(n.End())]) }

// function collects the changes of a function. One within another has results of its own.
func (m *mutator) function(typ *ast.FuncType, body *ast.BlockStmt) {
	fails := lastIsError(typ)
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			m.function(n.Type, n.Body)
			return false
		case *ast.IfStmt:
			m.condition(n.Cond)
		case *ast.SwitchStmt:
			m.cases(n)
		case *ast.BinaryExpr:
			m.binary(n)
		case *ast.ReturnStmt:
			if fails {
				m.returned(n)
			}
		case *ast.ExprStmt:
			m.call(n)
		case *ast.AssignStmt:
			m.assignment(n)
		case *ast.CallExpr:
			m.flags(n)
		case *ast.BasicLit:
			m.statement(n)
		}
		return true
	})
}

// lastIsError reports whether the last result of a function is an error.
func lastIsError(typ *ast.FuncType) bool {
	if typ.Results == nil {
		return false
	}
	last, ok := typ.Results.List[len(typ.Results.List)-1].Type.(*ast.Ident)
	return ok && last.Name == "error"
}

// condition makes a condition false for ever, which leaves out an early return, and
// negates it, unless that is what another change does.
func (m *mutator) condition(cond ast.Expr) {
	m.add("never", cond, "false && ("+m.text(cond)+")")
	if _, ok := cond.(*ast.BinaryExpr); !ok {
		m.add("negated", cond, "!("+m.text(cond)+")")
	}
}

// cases leaves out each case of a switch.
func (m *mutator) cases(s *ast.SwitchStmt) {
	for _, each := range s.Body.List {
		clause := each.(*ast.CaseClause)
		switch {
		case s.Tag != nil && clause.List != nil:
			m.add("case left out", clause, "")
		case s.Tag == nil:
			for _, cond := range clause.List {
				m.condition(cond)
			}
		}
	}
}

// others are the operators that replace an operator.
var others = map[token.Token]token.Token{
	token.EQL: token.NEQ, token.NEQ: token.EQL,
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
}

// binary swaps a comparison, and leaves out each side of a logical operator. An
// error that counts as none, and the reverse, is found by any test.
func (m *mutator) binary(e *ast.BinaryExpr) {
	x, y := m.text(e.X), m.text(e.Y)
	switch e.Op {
	case token.LAND, token.LOR:
		m.add("one side", e, "("+x+")")
		m.add("one side", e, "("+y+")")
	default:
		if other, ok := others[e.Op]; ok && y != "nil" {
			m.add("compared otherwise", e, x+" "+other.String()+" "+y)
		}
	}
}

// returned returns no error.
func (m *mutator) returned(r *ast.ReturnStmt) {
	if len(r.Results) == 0 {
		return
	}
	last := r.Results[len(r.Results)-1]
	if _, all := last.(*ast.CallExpr); all && len(r.Results) == 1 {
		return // It may have all results.
	}
	if m.text(last) != "nil" {
		m.add("no error", last, "nil")
	}
}

// call leaves out a call without a result, unless it is one of the log's.
func (m *mutator) call(s *ast.ExprStmt) {
	if call, ok := s.X.(*ast.CallExpr); ok && !strings.Contains(m.text(call.Fun), "log.") {
		m.add("not called", s, "")
	}
}

// assignment leaves out a call of which only the error is of interest, and what is
// assigned to a field.
func (m *mutator) assignment(a *ast.AssignStmt) {
	last := a.Lhs[len(a.Lhs)-1]
	if _, ok := last.(*ast.SelectorExpr); ok && len(a.Lhs) == 1 && a.Tok == token.ASSIGN {
		m.add("not assigned", a, "_ = "+m.text(a.Rhs[0]))
	}
	if _, ok := a.Rhs[0].(*ast.CallExpr); !ok || len(a.Rhs) != 1 || m.text(last) != "err" {
		return
	}
	values := "error(nil)"
	for _, result := range a.Lhs[:len(a.Lhs)-1] {
		if m.text(result) != "_" {
			return
		}
		values = "any(nil), " + values
	}
	m.add("not called", a.Rhs[0], values)
}

// flags swaps true and false among the arguments of a call.
func (m *mutator) flags(c *ast.CallExpr) {
	for _, arg := range c.Args {
		switch m.text(arg) {
		case "true":
			m.add("flag", arg, "false")
		case "false":
			m.add("flag", arg, "true")
		}
	}
}

// statement makes the conditions of an SQL statement hold for every row.
func (m *mutator) statement(lit *ast.BasicLit) {
	if lit.Kind != token.STRING {
		return
	}
	for _, c := range conditionsOf(lit.Value) {
		start := m.offset(lit.Pos()) + c.start
		line := m.fset.Position(lit.Pos()).Line + strings.Count(lit.Value[:c.start], "\n")
		m.found = append(m.found, change{"condition of SQL", line, start, m.offset(lit.Pos()) + c.end, c.with})
	}
}
