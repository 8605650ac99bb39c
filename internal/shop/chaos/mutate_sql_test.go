package chaos

import "regexp"

var (
	beforeCondition = regexp.MustCompile(`\b(WHERE|AND|OR)\s+`)
	afterCondition  = regexp.MustCompile(`^\s*(\b(AND|OR|ORDER|LIMIT|ON|RETURNING|GROUP)\b|` + "[`\"]" + `|$)`)
	conflict        = regexp.MustCompile(`\s*ON CONFLICT \([^)]*\) DO NOTHING`)
)

// conditionsOf returns changes of an SQL statement that leave out one of its
// conditions. The condition itself stays: PostgreSQL refuses a statement that does
// not use all its parameters. Where rows are recorded once, they are so no more.
func conditionsOf(query string) (found []change) {
	for _, at := range beforeCondition.FindAllStringSubmatchIndex(query, -1) {
		start, end := at[1], conditionEnd(query, at[1])
		with := "(" + query[start:end] + " OR 1 = 1)"
		if query[at[2]:at[3]] == "OR" {
			with = "(" + query[start:end] + " AND 1 = 0)"
		}
		found = append(found, change{start: start, end: end, with: with})
	}
	for _, at := range conflict.FindAllStringIndex(query, -1) {
		found = append(found, change{start: at[0], end: at[1]})
	}
	return found
}

// conditionEnd returns where a condition ends: at the next keyword, or where what is
// around it ends.
func conditionEnd(query string, start int) int {
	depth := 0
	for i := start; i < len(query); i++ {
		switch {
		case query[i] == '(':
			depth++
		case query[i] == ')' && depth == 0:
			return i
		case query[i] == ')':
			depth--
		case depth == 0 && i > start && afterCondition.MatchString(query[i:]):
			return i
		}
	}
	return len(query)
}
