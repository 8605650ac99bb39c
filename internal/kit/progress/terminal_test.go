package progress

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// model is a terminal as far as a screen needs one. Like tmux it breaks lines
// when it becomes narrower, moves rows into the scroll-back and takes them back,
// and copies what is cleared from the first cell on into the scroll-back.
type model struct {
	columns, rows int
	text          [][]rune // all rows, those of the scroll-back first
	continued     []bool   // whether a row goes on in the next
	base          int      // rows of the scroll-back
	x, y          int      // of the cursor in the window; x is columns if the next character wraps
}

func newModel(columns, rows int) *model {
	m := &model{columns: columns, rows: rows}
	m.fill()
	return m
}

// fill adds the rows that the window lacks.
func (m *model) fill() {
	for len(m.text) < m.base+m.rows {
		m.text, m.continued = append(m.text, nil), append(m.continued, false)
	}
}

func (m *model) Write(p []byte) (int, error) {
	text := []rune(string(p))
	for len(text) > 0 {
		if text[0] == '\x1b' {
			end := 2
			for text[end] < '@' {
				end++
			}
			m.control(text[end], string(text[2:end]))
			text = text[end+1:]
			continue
		}
		m.put(text[0])
		text = text[1:]
	}
	return len(p), nil
}

func (m *model) put(r rune) {
	switch r {
	case '\r':
		m.x = 0
	case '\n': // The terminal's driver adds the return.
		m.x = 0
		m.down()
	default:
		if m.x == m.columns {
			m.continued[m.base+m.y] = true
			m.x = 0
			m.down()
		}
		row := &m.text[m.base+m.y]
		for len(*row) <= m.x {
			*row = append(*row, ' ')
		}
		(*row)[m.x] = r
		m.x++
	}
}

func (m *model) down() {
	if m.y == m.rows-1 {
		m.base++
		m.fill()
		return
	}
	m.y++
}

func (m *model) control(command rune, argument string) {
	n, _ := strconv.Atoi(argument)
	switch command {
	case 'A':
		m.y = max(m.y-max(n, 1), 0)
	case 'B':
		m.y = min(m.y+max(n, 1), m.rows-1)
	case 'K':
		m.text[m.base+m.y], m.continued[m.base+m.y] = nil, false
	case 'J':
		m.clear()
	case 'm':
	default:
		panic(fmt.Sprintf("the model has no sequence CSI %s%c", argument, command))
	}
}

// clear clears from the cursor on.
func (m *model) clear() {
	if m.x == 0 && m.y == 0 {
		m.base += m.rows
		m.fill()
		return
	}
	for y := m.base + m.y; y < len(m.text); y++ {
		m.text[y], m.continued[y] = nil, false
	}
}

// resize gives the window another size: lines are broken anew, then rows leave
// the window at its top, or come back.
func (m *model) resize(columns, rows int) {
	if columns != m.columns {
		m.reflow(columns)
	}
	cursor := m.base + m.y
	for rows < m.rows && len(m.text) > cursor+1 && len(m.text) > m.base+rows {
		m.text, m.continued = m.text[:len(m.text)-1], m.continued[:len(m.continued)-1]
	}
	m.columns, m.rows = columns, rows
	m.base = max(len(m.text)-rows, 0)
	m.y = cursor - m.base
	m.fill()
}

func (m *model) reflow(columns int) {
	var text [][]rune
	var continued []bool
	cursor := m.base + m.y
	for y := 0; y < len(m.text); y++ {
		begin, line := y, slices.Clone(m.text[y])
		for m.continued[y] {
			y++
			line = append(line, m.text[y]...)
		}
		if begin <= cursor && cursor <= y {
			m.y = len(text) // Counted from the first row, until base is known.
		}
		for len(line) > columns {
			text, continued = append(text, line[:columns]), append(continued, true)
			line = line[columns:]
		}
		text, continued = append(text, line), append(continued, false)
	}
	for len(text) > m.y+1 && len(text) > m.rows && len(text[len(text)-1]) == 0 {
		text, continued = text[:len(text)-1], continued[:len(continued)-1]
	}
	m.text, m.continued = text, continued
	m.base = max(len(text)-m.rows, 0)
	m.y -= m.base
	m.fill()
}

// capture returns all lines, those of the scroll-back first.
func (m *model) capture() []string {
	var lines []string
	line := ""
	for y, row := range m.text {
		line += string(row)
		if !m.continued[y] {
			lines = append(lines, strings.TrimRight(line, " "))
			line = ""
		}
	}
	return lines
}
