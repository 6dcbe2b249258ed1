//! The functions that a program contains, as its debug information knows them.

use std::{
    collections::HashSet,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use gimli::{AttributeValue, DebuggingInformationEntry, Dwarf, EndianSlice, LittleEndian, Unit};
use object::{Object, ObjectSection};

use crate::{Place, documented::Function};

type Bytes<'a> = EndianSlice<'a, LittleEndian>;

/// What is known of the functions with code.
#[derive(Default)]
pub struct Contained {
    places: HashSet<Place>,
    symbols: Vec<String>,
}

impl Contained {
    /// Whether there is code for `function`, by its place; one that a macro made is declared in the macro, with all
    /// others that this made, and known by its symbol.
    pub fn has(&self, function: &Function) -> bool {
        if function.is_in_macro {
            let symbol = function.symbol();
            return self.symbols.iter().any(|known| known.contains(&symbol));
        }
        self.places.contains(&function.place)
    }
}

/// Adds the functions with code in `program`. One that the linker has left out has an entry, too, but no address.
pub fn add(program: &Path, contained: &mut Contained) -> Result<(), Box<dyn Error>> {
    let file = fs::read(program)?;
    let file = object::File::parse(&*file)?;
    let section = |id: gimli::SectionId| -> Result<Bytes<'_>, gimli::Error> {
        let data = file.section_by_name(id.name()).and_then(|section| section.data().ok());
        Ok(EndianSlice::new(data.unwrap_or_default(), LittleEndian))
    };
    let dwarf = Dwarf::load(section)?;
    let mut units = dwarf.units();
    while let Some(header) = units.next()? {
        let unit = dwarf.unit(header)?;
        let mut entries = unit.entries();
        while let Some(entry) = entries.next_dfs()? {
            if entry.tag() != gimli::DW_TAG_subprogram || !matches!(address(&dwarf, &unit, entry)?, Some(1..))
            {
                continue;
            }
            let declared = declaration(&dwarf, &unit, entry)?;
            contained.places.extend(declared.place);
            contained.symbols.extend(declared.symbol);
        }
    }
    if contained.places.is_empty() {
        return Err(format!("{} has no debug information", program.display()).into());
    }
    Ok(())
}

fn address(
    dwarf: &Dwarf<Bytes<'_>>,
    unit: &Unit<Bytes<'_>>,
    entry: &DebuggingInformationEntry<Bytes<'_>>,
) -> Result<Option<u64>, gimli::Error> {
    let Some(value) = entry.attr_value(gimli::DW_AT_low_pc) else { return Ok(None) };
    dwarf.attr_address(unit, value)
}

struct Declaration {
    place: Option<Place>,
    symbol: Option<String>,
}

/// How a function is declared: itself, or with its type, or where it was inlined from.
fn declaration(
    dwarf: &Dwarf<Bytes<'_>>,
    unit: &Unit<Bytes<'_>>,
    entry: &DebuggingInformationEntry<Bytes<'_>>,
) -> Result<Declaration, Box<dyn Error>> {
    for origin in [gimli::DW_AT_specification, gimli::DW_AT_abstract_origin] {
        if let Some(AttributeValue::UnitRef(offset)) = entry.attr_value(origin) {
            return declaration(dwarf, unit, &unit.entry(offset)?);
        }
    }
    let text = |value| Ok::<_, gimli::Error>(dwarf.attr_string(unit, value)?.to_string_lossy().into_owned());
    let symbol = entry.attr_value(gimli::DW_AT_linkage_name).map(text).transpose()?;
    let mut declared = Declaration { place: None, symbol };
    let (Some(AttributeValue::FileIndex(index)), Some(line)) =
        (entry.attr_value(gimli::DW_AT_decl_file), entry.attr_value(gimli::DW_AT_decl_line))
    else {
        return Ok(declared);
    };
    let header = unit.line_program.as_ref().map(|program| program.header());
    let (Some(header), Some(line)) = (header, line.udata_value()) else { return Ok(declared) };
    let Some(file) = header.file(index) else { return Ok(declared) };
    let mut path = PathBuf::new();
    if let Some(directory) = unit.comp_dir {
        path.push(directory.to_string_lossy().as_ref());
    }
    if let Some(directory) = file.directory(header) {
        path.push(text(directory)?);
    }
    path.push(text(file.path_name())?);
    // The standard library's sources need not be there.
    declared.place = fs::canonicalize(path).ok().map(|file| Place { file, line });
    Ok(declared)
}
