//! From model files, ours and the PKI Consortium's, to a [`Model`].

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::versions::find;
use crate::{Category, Model, ModelError, Module, Requirement, VERSIONS};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ours {
    version: String,
    levels: [String; 5],
    modules: Vec<OurModule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OurModule {
    id: String,
    name: String,
    description: Option<String>,
    categories: Vec<OurCategory>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OurCategory {
    id: String,
    name: String,
    weight: u32,
    same_as: Option<String>,
    description: Option<String>,
    levels: Option<[String; 5]>,
    requirements: Vec<OurRequirement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OurRequirement {
    id: String,
    weight: u32,
    same_as: Option<String>,
    title: Option<String>,
    guidance: Option<String>,
    evidence: Option<Vec<String>>,
}

/// Newest first, because older versions take their texts from newer ones.
static BUILT_IN: LazyLock<Result<Vec<Model>, String>> = LazyLock::new(|| {
    let mut loaded = Vec::new();
    for version in VERSIONS.iter().rev() {
        let model = load_ours(version.model, &loaded).map_err(|error| error.to_string())?;
        loaded.push(model);
    }
    Ok(loaded)
});

pub(crate) fn load_built_in(version: &str) -> Result<Model, ModelError> {
    let known = find(version)?;
    let loaded = BUILT_IN.as_ref().map_err(|error| ModelError::Unsound(error.clone()))?;
    let model = loaded.iter().find(|model| model.version == known.id).cloned();
    model.ok_or_else(|| ModelError::Unsound(format!("the file of {version} tells another version")))
}

fn load_ours(text: &str, newer: &[Model]) -> Result<Model, ModelError> {
    let ours: Ours = parse(text)?;
    let mut modules = Vec::new();
    for module in ours.modules {
        let mut categories = Vec::new();
        for category in module.categories {
            categories.push(our_category(&ours.version, &module.id, category, newer)?);
        }
        // The modules are the same four in every version.
        let elsewhere =
            || newer.iter().flat_map(|model| &model.modules).find(|m| m.id == module.id);
        let description = module
            .description
            .or_else(|| elsewhere().map(|other| other.description.clone()))
            .ok_or_else(|| ModelError::Unsound(format!("{} has no description", module.id)))?;
        modules.push(Module { id: module.id, name: module.name, description, categories });
    }
    let level_names = ours.levels;
    Ok(Model { version: ours.version, official_words: false, level_names, modules })
}

fn our_category(
    version: &str,
    module: &str,
    written: OurCategory,
    newer: &[Model],
) -> Result<Category, ModelError> {
    let id = format!("{module}.{}", written.id);
    let same = written.same_as.as_deref();
    let source = same.and_then(|same| {
        newer.iter().flat_map(Model::categories).find(|other| other.canonical == same)
    });
    let missing = |what: &str| ModelError::Unsound(format!("{id} has no {what}"));
    let description = written.description.or_else(|| source.map(|c| c.description.clone()));
    let levels = written.levels.or_else(|| source.map(|c| c.levels.clone()));
    let mut requirements = Vec::new();
    for requirement in written.requirements {
        requirements.push(our_requirement(version, &id, requirement, newer)?);
    }
    Ok(Category {
        name: written.name,
        weight: written.weight,
        description: description.ok_or_else(|| missing("description"))?,
        levels: levels.ok_or_else(|| missing("levels"))?,
        requirements,
        canonical: same.map_or_else(|| format!("{version}:{id}"), str::to_owned),
        id,
    })
}

fn our_requirement(
    version: &str,
    category: &str,
    written: OurRequirement,
    newer: &[Model],
) -> Result<Requirement, ModelError> {
    let id = format!("{category}.{}", written.id);
    if let Some(same) = written.same_as {
        let source =
            newer.iter().flat_map(Model::requirements).find(|other| other.canonical == same);
        let missing = || ModelError::Unsound(format!("{id}: {same} is not there"));
        let source = source.ok_or_else(missing)?.clone();
        return Ok(Requirement { id, weight: written.weight, ..source });
    }
    let missing = |what: &str| ModelError::Unsound(format!("{id} has no {what}"));
    Ok(Requirement {
        weight: written.weight,
        title: written.title.ok_or_else(|| missing("title"))?,
        guidance: written.guidance.ok_or_else(|| missing("guidance"))?,
        evidence: written.evidence.ok_or_else(|| missing("evidence"))?,
        canonical: format!("{version}:{id}"),
        id,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Official {
    schema_version: String,
    version: String,
    modules: Vec<OfficialModule>,
}

#[derive(Deserialize)]
struct OfficialModule {
    id: String,
    name: String,
    #[serde(default)]
    description: String,
    categories: Vec<OfficialCategory>,
}

#[derive(Deserialize)]
struct OfficialCategory {
    id: String,
    name: String,
    weight: u32,
    #[serde(default)]
    description: String,
    levels: Vec<OfficialLevel>,
    #[serde(default)]
    requirements: Vec<OfficialRequirement>,
}

#[derive(Deserialize)]
struct OfficialLevel {
    number: u8,
    name: String,
    description: String,
}

#[derive(Deserialize)]
struct OfficialRequirement {
    id: String,
    weight: u32,
    description: String,
    #[serde(default)]
    guidance: String,
    #[serde(default)]
    assessment: String,
}

pub(crate) fn load_official(text: &str) -> Result<Model, ModelError> {
    let official: Official = parse(text)?;
    if !["1.0.0", "2.0.0"].contains(&official.schema_version.as_str()) {
        return Err(ModelError::Schema(official.schema_version));
    }
    // The rename table is ours; a version that is unknown here stands for itself.
    let known = load_built_in(&official.version).ok();
    let mut level_names = None;
    let mut modules = Vec::new();
    let mut seen = BTreeSet::new();
    for module in official.modules {
        let mut categories = Vec::new();
        for category in module.categories {
            let id = format!("{}.{}", module.id, category.id);
            let (names, levels) = official_levels(&id, category.levels)?;
            level_names.get_or_insert(names);
            let canonical = known
                .iter()
                .flat_map(Model::categories)
                .find(|other| other.id == id)
                .map_or_else(|| format!("{}:{id}", official.version), |c| c.canonical.clone());
            let mut requirements = Vec::new();
            for requirement in category.requirements {
                let id = format!("{id}.{}", requirement.id);
                if !seen.insert(id.clone()) {
                    return Err(ModelError::Unsound(format!("{id} is there twice")));
                }
                let canonical = known
                    .as_ref()
                    .and_then(|model| model.requirement(&id))
                    .map_or_else(|| format!("{}:{id}", official.version), |r| r.canonical.clone());
                requirements.push(Requirement {
                    id,
                    weight: requirement.weight,
                    title: requirement.description.trim().to_owned(),
                    guidance: requirement.guidance.trim().to_owned(),
                    evidence: lines(&requirement.assessment),
                    canonical,
                });
            }
            categories.push(Category {
                id,
                name: category.name,
                weight: category.weight,
                description: category.description.trim().to_owned(),
                levels,
                requirements,
                canonical,
            });
        }
        let description = module.description.trim().to_owned();
        modules.push(Module { id: module.id, name: module.name, description, categories });
    }
    Ok(Model {
        version: official.version,
        official_words: true,
        level_names: level_names
            .ok_or_else(|| ModelError::Unsound("it has no categories".to_owned()))?,
        modules,
    })
}

fn official_levels(
    category: &str,
    mut written: Vec<OfficialLevel>,
) -> Result<([String; 5], [String; 5]), ModelError> {
    written.sort_by_key(|level| level.number);
    let numbers: Vec<u8> = written.iter().map(|level| level.number).collect();
    let wrong = || ModelError::Unsound(format!("{category} has levels {numbers:?}, not 1 to 5"));
    if numbers != [1, 2, 3, 4, 5] {
        return Err(wrong());
    }
    let (names, texts): (Vec<_>, Vec<_>) =
        written.into_iter().map(|l| (l.name, l.description.trim().to_owned())).unzip();
    Ok((names.try_into().map_err(|_| wrong())?, texts.try_into().map_err(|_| wrong())?))
}

fn lines(text: &str) -> Vec<String> {
    let line = |line: &str| line.trim().trim_start_matches("- ").to_owned();
    text.lines().map(line).filter(|line| !line.is_empty()).collect()
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, ModelError> {
    serde_saphyr::from_str(text).map_err(|error| ModelError::Unreadable(error.to_string()))
}
